import type { Followers } from "@/features/messages/log/followers";
import type { Outbox } from "@/features/messages/outbox/outbox";
import type { Connection } from "@/lib/connection";
import type { Announcements } from "./announcements";

/** Others are read out as they are heard. The answer ends it. */
export function listenForAnnouncements(
  connection: Pick<Connection, "listen">,
  announcements: Announcements,
): () => void {
  const stops = [announcements.start(), connection.listen({ "message:sent": announcements.sent })];
  return () => stops.forEach((stop) => stop());
}

/** What a room's log shows is no longer on its way. The answer ends it. */
export const pruneByLogs = ({ rooms }: Followers, outbox: Outbox): (() => void) =>
  rooms.subscribe(() => {
    const held = rooms.get();
    outbox.prune(({ room, seq, generation }) => {
      const log = held.get(room)?.log;
      return !log || log.cursor >= seq || (log.generation !== 0 && log.generation !== generation);
    });
  });
