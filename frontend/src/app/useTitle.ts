import { useEffect } from "react";
import { countOf, unreadIn } from "@/features/rooms/roomList";
import { t } from "@/lib/language";
import type { Room } from "@/types/protocol";

/** The tab says where one is, how much is unread, and first whether something of mine has not gone out. */
export function useTitle(name: string | undefined, rooms: ReadonlyMap<string, Room>, unsent: boolean): void {
  const count = countOf(unreadIn(rooms.values()));
  const what = (count === "0" ? "" : `(${count}) `) + (name ? `${name} · ` : "");
  const title = `${unsent ? `${t("Not sent")} · ` : ""}${what}Parley`;
  useEffect(() => {
    document.title = title;
    return () => {
      document.title = "Parley";
    };
  }, [title]);
}
