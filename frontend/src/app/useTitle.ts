import { useEffect } from "react";
import type { Room } from "@/types/protocol";

/** The tab says where one is and how much waits. */
export function useTitle(name: string | undefined, rooms: ReadonlyMap<string, Room>): void {
  const unread = [...rooms.values()].reduce((sum, room) => sum + room.unread, 0);
  useEffect(() => {
    document.title = `${unread ? `(${unread}) ` : ""}${name ? `${name} · ` : ""}Parley`;
    return () => {
      document.title = "Parley";
    };
  }, [name, unread]);
}
