import { useEffect, useState } from "react";
import { createAnnouncements } from "@/features/messages/timeline/announcements";
import { realClock } from "@/lib/clock";
import { useValue } from "@/lib/store";
import type { World } from "./client";

/** Reads out what others say: a line of its own for each, so that the same words twice are two. */
export default function Announcer({ world, open }: { world: World; open: string | null }) {
  const [announcements] = useState(() => {
    const nameOf = (room: string) => world.rooms.list.get().rooms.get(room)?.name ?? room;
    return createAnnouncements({ me: world.user, clock: realClock, rooms: world.followers.rooms, nameOf });
  });
  useEffect(() => {
    const stop = announcements.start();
    world.hearers.add(announcements.sent);
    return () => {
      world.hearers.delete(announcements.sent);
      stop();
    };
  }, [world, announcements]);
  useEffect(() => announcements.open(open), [announcements, open]);
  const said = useValue(announcements.said);
  return (
    <div className="visually-hidden" aria-live="polite" aria-relevant="additions" data-testid="announcer">
      {said.map(({ id, text }) => <p key={id}>{text}</p>)}
    </div>
  );
}
