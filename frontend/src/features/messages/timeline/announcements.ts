import type { HeldRooms } from "@/features/messages/log/followers";
import type { RoomLog } from "@/features/messages/log/log";
import { inOneLine } from "@/features/messages/message/text";
import type { Clock } from "@/lib/clock";
import { t } from "@/lib/language";
import { createStore, type Store } from "@/lib/store";
import type { Message } from "@/types/protocol";

export interface Announcement {
  id: number;
  text: string;
}

export type Announcements = ReturnType<typeof createAnnouncements>;

/** Said together: what comes within this time of the first. */
const GATHER_MS = 250;
/** More at once than anybody listens to: their number is said instead. */
const MOST_AT_ONCE = 12;
/** So long something stays to be read out. */
const STAYS_MS = 15_000;

interface Needs {
  me: { username: string; name: string };
  clock: Clock;
  rooms: Store<HeldRooms>;
  nameOf(room: string): string;
}

/**
 * New messages of others, for those who listen: each once, also when the words were the same before, in the order in
 * which they stand. The log itself is silent, for rows come and go in it. In the room that is open what the log shows
 * counts, so nothing is said that still waits behind a hole; of the others, what is pushed.
 */
export function createAnnouncements({ me, clock, rooms, nameOf }: Needs) {
  const said: Store<readonly Announcement[]> = createStore<readonly Announcement[]>([]);
  /** Up to which entry everything of a room was said, or need not be; with the room's generation. */
  const heard = new Map<string, [generation: number, seq: number]>();
  let open: string | null = null;
  let waiting: string[] = [];
  let cancel: (() => void) | null = null;
  let number = 0;

  const names = [...new Set([me.username, me.name])].map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const mention = new RegExp(`(?:^|[^\\p{L}\\p{N}_])@(?:${names.join("|")})(?![\\p{L}\\p{N}_])`, "iu");

  function say(text: string) {
    waiting.push(text);
    cancel ??= clock.after(GATHER_MS, () => {
      cancel = null;
      const texts = waiting.length > MOST_AT_ONCE ? [t("{count} new messages", { count: waiting.length })] : waiting;
      waiting = [];
      const added = texts.map((each) => ({ id: (number += 1), text: each }));
      said.set((all) => [...all, ...added]);
      clock.after(STAYS_MS, () => said.set((all) => all.filter((each) => !added.includes(each))));
    });
  }

  function tell({ room, author, name, text, deleted }: Message) {
    if (author === me.username || deleted) return;
    say(`${introduced(name, mention.test(text), room === open ? null : nameOf(room))}: ${inOneLine(text)}`);
  }

  /** What the log of the open room shows since the last look. */
  function look() {
    const log = open === null ? undefined : rooms.get().get(open)?.log;
    if (open === null || !log || log.generation === 0) return;
    const before = heard.get(open);
    heard.set(open, [log.generation, log.cursor]);
    if (before?.[0] !== log.generation) return;
    for (const message of between(log, before[1])) tell(message);
  }

  return {
    said,
    /** This room is on screen now: what stands in it already is there to be read. */
    open(room: string | null) {
      open = room;
      const log = room === null ? undefined : rooms.get().get(room)?.log;
      if (room !== null) heard.delete(room);
      if (room !== null && log && log.generation !== 0) heard.set(room, [log.generation, log.cursor]);
    },
    /** A message as it was pushed. */
    sent(message: Message) {
      const { room, generation, seq } = message;
      if (room === open) return;
      const [known, last] = heard.get(room) ?? [0, 0];
      if (known === generation && seq <= last) return;
      heard.set(room, [generation, seq]);
      tell(message);
    },
    /** Listens to the open room's log until the answer is called. */
    start(): () => void {
      const stop = rooms.subscribe(look);
      return () => {
        stop();
        cancel?.();
        cancel = null;
      };
    },
  };
}

/** Who speaks, whether to me, and where, unless that is here. */
function introduced(name: string, mentions: boolean, room: string | null): string {
  if (room === null) return mentions ? t("{name} mentioned you", { name }) : name;
  return mentions ? t("{name} mentioned you in {room}", { name, room }) : t("{name} in {room}", { name, room });
}

function* between({ snapshots, cursor, oldest }: RoomLog, after: number): Iterable<Message> {
  for (let seq = Math.max(oldest, after + 1); seq <= cursor; seq += 1) {
    const message = snapshots.get(seq);
    if (message) yield message;
  }
}
