import { useEffect } from "react";
import { countOf, unreadIn } from "@/features/rooms/roomList";
import type { Room } from "@/types/protocol";

/** The tab says where one is, how much is unread, and first whether something of mine has not gone out. */
export function useTitle(name: string | undefined, rooms: ReadonlyMap<string, Room>, unsent: boolean): void {
  const count = countOf(unreadIn(rooms.values()));
  useEffect(() => {
    const what = (count === "0" ? "" : `(${count}) `) + (name ? `${name} · ` : "");
    document.title = `${unsent ? "Not sent · " : ""}${what}Parley`;
    return () => {
      document.title = "Parley";
    };
  }, [name, count, unsent]);
}
