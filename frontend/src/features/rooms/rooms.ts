import { backoff_ms, jittered, type Clock } from "@/lib/clock";
import { failureOf, type Failure } from "@/lib/failure";
import type { Http } from "@/lib/http";
import { newClientId } from "@/lib/identifiers";
import { createStore } from "@/lib/store";
import type {
  Ask, Heads, Member, MembershipPush, Message, Room, RoomName, RoomsAnswer, ServerEvents, User,
} from "@/types/protocol";
import { keepRooms, keptRooms } from "./keptRooms";
import { asShown, emptyRoomList, reduceRoomList, type RoomListAction } from "./roomList";

interface Needs {
  user: string;
  base: string;
  http: Http;
  ask: Ask;
  clock: Clock;
  /** Hears who people are. */
  met?(people: readonly User[]): void;
  /** What somebody is called. */
  nameOf?(username: string): string;
}

/** That I was put out of a room on this page, and by whom. */
export interface Removal {
  name: string;
  by: string | undefined;
}

export type Rooms = ReturnType<typeof createRooms>;

const READ_EVERY_MS = 3_000;
/** So long at most a count waits for the look that most likely takes it away again. */
const LOOK_WITHIN_MS = 100;

/** My rooms: the list, its counts, and everything one can do with a room as a whole. */
export function createRooms({ user, base, http, ask, clock, met, nameOf = (username) => username }: Needs) {
  const list = createStore(emptyRoomList);
  /**
   * The list as it is shown, of which `read` and `head` may be older: what comes into a room of which all was seen a
   * moment ago is mostly seen as it comes, and its count would only flash.
   */
  const shown = createStore(emptyRoomList);
  let seenWhole: string | null = null;
  let cancelLook: (() => void) | null = null;
  list.subscribe(show);
  const failure = createStore<Failure | null>(null);
  const removals = createStore<ReadonlyMap<string, Removal>>(new Map());
  let asking: Promise<void> | null = null;
  let askAgain = false;
  let failures = 0;
  let cancelSoon: (() => void) | null = null;
  const reads = new Map<string, { sent: number; cancel: (() => void) | null }>();
  const miscounted = new Set<string>();

  function dispatch(action: RoomListAction) {
    if (action.type === "entry" && action.counts && action.room === seenWhole)
      cancelLook ??= clock.after(LOOK_WITHIN_MS, looked);
    list.set((now) => reduceRoomList(now, action));
    const { stale, uncounted, loaded } = list.get();
    if ((stale || uncounted) && loaded) refetchSoon();
  }

  function show() {
    shown.set((before) => asShown(before, list.get(), cancelLook && seenWhole));
  }

  /** The count waits for no look any more. */
  function looked() {
    cancelLook?.();
    cancelLook = null;
    show();
  }

  function refetchSoon(delay_ms = jittered(clock, 600)) {
    cancelSoon ??= clock.after(delay_ms, () => {
      cancelSoon = null;
      void refetch();
    });
  }

  /** The server tells long lists in parts. */
  async function wholeList(): Promise<RoomsAnswer> {
    const get = (query = "") => http<RoomsAnswer>("GET", `${base}/api/rooms${query}`);
    const { rooms, joinable, rooms_after, joinable_after } = await get();
    for (let after = rooms_after; after !== undefined; ) {
      const part = await get(`?rooms_after=${encodeURIComponent(after)}`);
      rooms.push(...part.rooms);
      after = part.rooms_after;
    }
    for (let after = joinable_after; after !== undefined; ) {
      const part = await get(`?joinable_after=${encodeURIComponent(after)}`);
      joinable.push(...part.joinable);
      after = part.joinable_after;
    }
    return { rooms, joinable };
  }

  /** One question at a time; asked meanwhile means asked again afterwards. */
  function refetch(): Promise<void> {
    askAgain = asking !== null;
    asking ??= (async () => {
      do {
        askAgain = false;
        try {
          const answer = await wholeList();
          dispatch({ type: "listed", answer });
          answer.rooms.forEach(recount);
          keepRooms(user, answer.rooms);
          removals.set((all) => new Map([...all].filter(([room]) => !list.get().rooms.has(room))));
          failure.set(null);
          failures = 0;
        } catch (thrown) {
          const failed = failureOf(thrown);
          failure.set(failed);
          if (failed.retry) refetchSoon(backoff_ms(clock, failures++));
        }
      } while (askAgain);
      asking = null;
    })();
    return asking;
  }

  const path = (room: string, act: string) => `${base}/api/rooms/${encodeURIComponent(room)}/${act}`;

  function tellRead(room: string, seq: number) {
    const told = reads.get(room) ?? { sent: 0, cancel: null };
    reads.set(room, told);
    if (told.cancel || seq <= told.sent) return;
    told.sent = seq;
    ask("room:read", { room, seq }).then(
      () => miscounted.delete(room) && refetchSoon(),
      () => (told.sent = 0),
    );
    told.cancel = clock.after(READ_EVERY_MS, () => {
      told.cancel = null;
      const now = list.get().rooms.get(room);
      if (now && now.read > told.sent) tellRead(room, now.read);
    });
  }

  /** What an answer counts as unread though it was read here is told, and then the counts are asked for again. */
  function recount({ room, read, head }: Room) {
    const held = list.get().rooms.get(room);
    if (!held || held.read <= read || held.read >= head) return;
    miscounted.add(room);
    const told = reads.get(room);
    if (told) told.sent = Math.min(told.sent, read);
    tellRead(room, held.read);
  }

  return {
    list,
    shown,
    failure,
    removals,
    refetch,
    /** What there is to show until the server can be asked. */
    remember() {
      if (!list.get().loaded) dispatch({ type: "remembered", rooms: keptRooms(user) });
    },

    entered: (room: string, generation: number, seq: number) =>
      dispatch({ type: "entry", room, generation, seq, counts: false }),
    sent: ({ room, generation, seq, author }: Message) =>
      dispatch({ type: "entry", room, generation, seq, counts: author !== user }),
    /** A number was told and nothing else: it may be a message that was changed before it came. */
    skipped: (room: string, generation: number, seq: number) =>
      dispatch({ type: "entry", room, generation, seq, counts: false, skipped: true }),
    changed: ({ room, generation, entry, message }: ServerEvents["message:changed"]) =>
      dispatch({
        type: "entry", room, generation, seq: entry, counts: false,
        changed: message.author === user ? undefined : message,
      }),
    made: (room: RoomName) => dispatch({ type: "made", room }),
    told: (room: string, part: { name: string } | { owner: string }) => dispatch({ type: "told", room, part }),
    /** Somebody was removed from a room; kept when it was me, and I was in it. */
    putOut({ room, user: who, by }: MembershipPush) {
      const name = who === user ? list.get().rooms.get(room)?.name : undefined;
      if (name !== undefined) removals.set((all) => new Map(all).set(room, { name, by: by && nameOf(by) }));
    },
    heads: (heads: Heads) => dispatch({ type: "heads", heads }),
    /** Read on another device. */
    wasRead: (room: string, seq: number) => dispatch({ type: "read", room, seq }),
    /** Seen here, on a visible page: counted at once, told at most every 3 s. `passed`: how many unread messages that
     * are, where it is known. */
    seen(room: string, seq: number, passed?: number) {
      const now = list.get().rooms.get(room);
      if (!now) return;
      seenWhole = Math.max(seq, now.read) >= now.head ? room : null;
      if (seq > now.read) {
        dispatch({ type: "read", room, seq, passed });
        tellRead(room, seq);
      }
      looked();
    },
    /** Nobody looks into a room any more. */
    lookedAway() {
      seenWhole = null;
      looked();
    },

    /** The page is being left: what was seen is told now, not in 3 s. */
    tellAll() {
      seenWhole = null;
      looked();
      for (const [room, told] of reads) {
        told.cancel?.();
        told.cancel = null;
        tellRead(room, list.get().rooms.get(room)?.read ?? 0);
      }
    },

    async create(name: string, kind: Room["kind"]): Promise<Room> {
      const made = await http<{ room: Room }>("POST", `${base}/api/rooms`, { client_id: newClientId(), name, kind });
      dispatch({ type: "added", room: made.room });
      return made.room;
    },
    async join(room: string): Promise<Room> {
      const joined = await http<{ room: Room }>("POST", path(room, "join"), { client_id: newClientId() });
      dispatch({ type: "added", room: joined.room });
      return joined.room;
    },
    async leave(room: string, successor?: string): Promise<void> {
      await http("POST", path(room, "leave"), { client_id: newClientId(), successor });
      await refetch();
    },
    invite: (room: string, username: string) =>
      http<undefined>("POST", path(room, "invite"), { client_id: newClientId(), username }),
    remove: (room: string, username: string) =>
      http<undefined>("POST", path(room, "remove"), { client_id: newClientId(), username }),
    async members(room: string): Promise<Member[]> {
      const { members } = await http<{ members: Member[] }>("GET", path(room, "members"));
      met?.(members);
      return members;
    },

    dispose() {
      cancelSoon?.();
      cancelLook?.();
      for (const { cancel } of reads.values()) cancel?.();
    },
  };
}
