import { useEffect } from "react";
import type { Room } from "@/types/protocol";

/** The tab says where one is, how much is unread, and first whether something of mine has not gone out. */
export function useTitle(name: string | undefined, rooms: ReadonlyMap<string, Room>, unsent: boolean): void {
  const unread = [...rooms.values()].reduce((sum, room) => sum + room.unread, 0);
  useEffect(() => {
    document.title = `${unsent ? "Not sent · " : ""}${unread ? `(${unread}) ` : ""}${name ? `${name} · ` : ""}Parley`;
    return () => {
      document.title = "Parley";
    };
  }, [name, unread, unsent]);
}
