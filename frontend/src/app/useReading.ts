import { useCallback, useEffect, useState } from "react";
import { hasOlder, spanOf, type RoomLog } from "@/features/messages/log";
import type { Room } from "@/types/protocol";
import type { World } from "./world";

/** Reading: what is new in this visit, and telling what has been seen (a visible page, at the end of the room). */
export function useReading({ rooms, followers }: World, room: Room, log: RoomLog) {
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

  const { oldest } = spanOf(log);
  const farBack = newAfter !== null && log.generation > 0 && log.window === null && newAfter + 1 < oldest && hasOlder(log);
  useEffect(() => {
    if (farBack && newAfter !== null) void followers.older(room.room).catch(() => {});
  }, [farBack, newAfter, followers, room.room, oldest]);

  return { newAfter, onEnd: useCallback((end: boolean) => setAtEnd(end), []) };
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
