import { useEffect, useState } from "react";
import { createAnnouncements } from "@/features/messages/timeline/announcements";
import { listenForAnnouncements } from "@/features/messages/timeline/listeners";
import { realClock } from "@/lib/clock";
import { useValue } from "@/lib/store";
import type { Client } from "./client";

/** Reads out what others say: a line of its own for each, so that the same words twice are two. */
export default function Announcer({ client, open }: { client: Client; open: string | null }) {
  const [announcements] = useState(() => {
    const nameOf = (room: string) => client.rooms.list.get().rooms.get(room)?.name ?? room;
    return createAnnouncements({ me: client.user, clock: realClock, rooms: client.followers.rooms, nameOf });
  });
  useEffect(() => listenForAnnouncements(client.connection, announcements), [client, announcements]);
  useEffect(() => announcements.open(open), [announcements, open]);
  const said = useValue(announcements.said);
  return (
    <div className="visually-hidden" aria-live="polite" aria-relevant="additions" data-testid="announcer">
      {said.map(({ id, text }) => <p key={id}>{text}</p>)}
    </div>
  );
}
