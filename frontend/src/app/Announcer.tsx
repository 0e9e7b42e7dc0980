import type { Announcements } from "@/features/messages/announcements";
import { useValue } from "@/lib/store";

/** Reads out what is announced: a line of its own for each, so that the same words twice are two. */
export function Announcer({ announcements }: { announcements: Announcements }) {
  const said = useValue(announcements.said);
  return (
    <div className="visually-hidden" aria-live="polite" aria-relevant="additions" data-testid="announcer">
      {said.map(({ id, text }) => <p key={id}>{text}</p>)}
    </div>
  );
}
