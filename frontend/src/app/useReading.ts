import { useCallback, useEffect, useLayoutEffect, useRef, useState, useSyncExternalStore } from "react";
import type { RoomLog } from "@/features/messages/log/log";
import { isCounted, readOn, type Seen } from "@/features/messages/timeline/reading";
import type { Room } from "@/types/protocol";
import type { Client } from "./client";

/** So many unread messages are shown together with the newest ones; before more than that the page stands alone. */
const FEW = 150;

/** Reading: what is new in this visit, and telling what stood on the screen of a page that is looked at. */
export function useReading({ rooms, followers, user }: Client, room: Room, log: RoomLog, goesElsewhere: boolean) {
  /** What is shown of it does not say how far it was read. */
  const now = () => rooms.list.get().rooms.get(room.room) ?? room;
  const [newAfter, setNewAfter] = useState<number | null>(() => (room.unread > 0 ? now().read : null));
  const visible = useSyncExternalStore(onVisible, isVisible);
  const { cursor } = log;

  const latest = useRef(log);
  useLayoutEffect(() => void (latest.current = log), [log]);
  const onSeen = useCallback(
    (seen: Seen) => {
      const now = rooms.list.get().rooms.get(room.room);
      if (!now || !isVisible()) return;
      const before = now.unread > 0 ? now.read : Math.max(now.read, now.head);
      const { read, passed } = readOn(latest.current, user.username, before, seen);
      rooms.seen(room.room, read, isCounted(latest.current, now.read) ? passed : undefined);
    },
    [rooms, room.room, user.username],
  );

  useEffect(() => rooms.lookedAway, [rooms, room.room]);

  // Coming back to a page that was away starts a new visit.
  const [was, setWas] = useState(visible);
  if (was !== visible) {
    setWas(visible);
    if (!visible && now().read >= cursor) setNewAfter(cursor);
  }

  // The first unread message may lie before the newest page: it is fetched before anything is shown, with what stands
  // above it.
  const few = room.unread <= FEW && room.unread_more !== true;
  const [seeking, setSeeking] = useState(newAfter !== null && !goesElsewhere);
  useLayoutEffect(() => {
    if (!seeking || newAfter === null || log.generation === 0) return;
    const wanted = Math.max(newAfter, log.first);
    const done = () => setSeeking(false);
    if (wanted >= log.oldest) done();
    else followers[few ? "back" : "around"](room.room, wanted).then(done, done);
  }, [seeking, newAfter, log.generation, log.first, log.oldest, followers, room.room, few]);

  return { newAfter, seeking, onSeen };
}

const isVisible = () => document.visibilityState === "visible";

function onVisible(listener: () => void): () => void {
  document.addEventListener("visibilitychange", listener);
  return () => document.removeEventListener("visibilitychange", listener);
}
