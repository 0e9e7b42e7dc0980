import { useCallback, useEffect, useLayoutEffect, useState } from "react";
import type { RoomLog } from "@/features/messages/log";
import type { Room } from "@/types/protocol";
import type { World } from "./world";

/** Reading: what is new in this visit, and telling what has been seen (a visible page, at the end of the room). */
export function useReading({ rooms, followers }: World, room: Room, log: RoomLog, goesElsewhere: boolean) {
  const [newAfter, setNewAfter] = useState<number | null>(room.unread > 0 ? room.read : null);
  const [atEnd, setAtEnd] = useState(false);
  const visible = useVisible();
  const { cursor } = log;

  useEffect(() => {
    if (visible && atEnd && cursor > 0) rooms.seen(room.room, cursor);
  }, [rooms, room.room, cursor, visible, atEnd]);

  // Coming back to a page that was away starts a new visit.
  const [was, setWas] = useState(visible);
  if (was !== visible) {
    setWas(visible);
    if (!visible && room.read >= cursor) setNewAfter(cursor);
  }

  // The first unread message may lie before the newest page: it is fetched before anything is shown.
  const [seeking, setSeeking] = useState(newAfter !== null && !goesElsewhere);
  useLayoutEffect(() => {
    if (!seeking || newAfter === null || log.generation === 0) return;
    const wanted = Math.max(newAfter + 1, log.first);
    const done = () => setSeeking(false);
    if (wanted >= log.oldest) done();
    else followers.around(room.room, wanted).then(done, done);
  }, [seeking, newAfter, log.generation, log.first, log.oldest, followers, room.room]);

  return { newAfter, seeking, onEnd: useCallback((end: boolean) => setAtEnd(end), []) };
}

function useVisible(): boolean {
  const [visible, setVisible] = useState(() => document.visibilityState === "visible");
  useEffect(() => {
    const changed = () => setVisible(document.visibilityState === "visible");
    document.addEventListener("visibilitychange", changed);
    return () => document.removeEventListener("visibilitychange", changed);
  }, []);
  return visible;
}
