/** My rooms with their unread counts, as a pure reducer: what the list says, moved on by live entries. */
import type { Heads, Message, Room, RoomName, RoomsAnswer } from "@/types/protocol";

export interface RoomList {
  loaded: boolean;
  rooms: ReadonlyMap<string, Room>;
  joinable: readonly RoomName[];
  /** An entry was missed somewhere: the counts need asking for again. */
  stale: boolean;
  /** A part was read here of what is not all held here: the counts need asking for again, and nothing was missed. */
  uncounted: boolean;
  /**
   * Entries, `room seq`, of which only the number was told: they may be messages that no count has, until they change.
   */
  skipped: ReadonlySet<string>;
}

export type RoomListAction =
  | { type: "listed"; answer: RoomsAnswer }
  | { type: "remembered"; rooms: readonly Room[] }
  | {
      type: "entry";
      room: string;
      generation: number;
      seq: number;
      counts: boolean;
      skipped?: boolean;
      changed?: Message | undefined;
    }
  | { type: "heads"; heads: Heads }
  | { type: "read"; room: string; seq: number; passed?: number | undefined }
  /** It has another name, or owner. */
  | { type: "told"; room: string; part: Pick<Partial<Room>, "name" | "owner"> }
  /** A public room that I may join. */
  | { type: "made"; room: RoomName }
  | { type: "added"; room: Room };

type EntryAction = Extract<RoomListAction, { type: "entry" }>;

export const emptyRoomList: RoomList = {
  loaded: false, rooms: new Map(), joinable: [], stale: false, uncounted: false, skipped: new Set(),
};

/** More than these, and the counts are asked for again instead. */
const SKIPPED_AT_MOST = 200;

export function reduceRoomList(list: RoomList, action: RoomListAction): RoomList {
  switch (action.type) {
    case "listed":
      return listed(list, action.answer);
    case "remembered":
      return { ...list, rooms: new Map([...byId(action.rooms), ...list.rooms]) };
    case "entry":
      return entered(list, action);
    case "heads":
      return { ...list, stale: list.stale || knowsNewer(list, action.heads) };
    case "read":
      return read(list, action.room, action.seq, action.passed);
    case "told":
      return change(list, action.room, action.part);
    case "made":
      return withJoinable(list, action.room);
    case "added":
      return {
        ...list,
        rooms: new Map(list.rooms).set(action.room.room, action.room),
        joinable: list.joinable.filter(({ room }) => room !== action.room.room),
      };
  }
}

/** The answer may be older than what was pushed meanwhile: read positions never move back. */
function listed(list: RoomList, { rooms, joinable }: RoomsAnswer): RoomList {
  const merged = rooms.map((room) => {
    const held = list.rooms.get(room.room);
    if (!held || held.generation !== room.generation || held.read <= room.read) return room;
    return held.read >= room.head
      ? { ...room, read: held.read, unread: 0, unread_more: false }
      : { ...room, read: held.read };
  });
  return {
    loaded: true, stale: false, uncounted: false, skipped: emptyRoomList.skipped, joinable, rooms: byId(merged),
  };
}

function withJoinable(list: RoomList, { room, name }: RoomName): RoomList {
  if (list.rooms.has(room) || list.joinable.some((each) => each.room === room)) return list;
  return { ...list, joinable: [...list.joinable, { room, name }] };
}

const byId = (rooms: readonly Room[]) => new Map(rooms.map((room) => [room.room, room]));

function entered(list: RoomList, action: EntryAction): RoomList {
  const { room: id, generation, seq } = action;
  const room = list.rooms.get(id);
  if (!room || generation !== room.generation) return { ...list, stale: true };
  if (seq <= room.head) return list;
  const moved = change(list, id, { head: seq, unread: Math.max(0, room.unread + counted(list, room, action)) });
  const skipped = stillSkipped(list.skipped, action);
  return { ...moved, skipped, stale: moved.stale || seq > room.head + 1 || skipped.size > SKIPPED_AT_MOST };
}

/**
 * What an entry adds to what is unread: a message one, and one that is deleted takes itself away, if it was counted.
 */
function counted(list: RoomList, { room, read }: Room, { seq, counts, changed }: EntryAction): number {
  if (counts) return seq > read ? 1 : 0;
  if (!changed || changed.seq <= read) return 0;
  const wasCounted = !list.skipped.has(`${room} ${changed.seq}`);
  return Number(!changed.deleted) - Number(wasCounted);
}

function stillSkipped(held: ReadonlySet<string>, { room, seq, skipped, changed }: EntryAction): ReadonlySet<string> {
  if (skipped) return new Set(held).add(`${room} ${seq}`);
  if (!changed || changed.deleted || !held.has(`${room} ${changed.seq}`)) return held;
  return new Set([...held].filter((key) => key !== `${room} ${changed.seq}`));
}

function knowsNewer(list: RoomList, heads: Heads): boolean {
  return Object.entries(heads).some(([id, [generation, head]]) => {
    const room = list.rooms.get(id);
    return !room || room.generation !== generation || head > room.head;
  });
}

function read(list: RoomList, id: string, seq: number, passed?: number): RoomList {
  const room = list.rooms.get(id);
  if (!room || seq <= room.read) return list;
  if (seq >= room.head) return change(list, id, { read: seq, unread: 0, unread_more: false });
  if (passed !== undefined && !room.unread_more)
    return change(list, id, { read: seq, unread: Math.max(0, room.unread - passed) });
  return { ...change(list, id, { read: seq }), uncounted: true };
}

function change(list: RoomList, id: string, part: Partial<Room>): RoomList {
  const room = list.rooms.get(id);
  return room ? { ...list, rooms: new Map(list.rooms).set(id, { ...room, ...part }) } : list;
}

const SHOWN = ["name", "kind", "owner", "unread", "unread_more"] as const satisfies (keyof Room)[];

/**
 * The list, with what is in `before` already where that looks the same: how far a room has come is not shown. The room
 * that `waits` stays as it was.
 */
export function asShown(before: RoomList, now: RoomList, waits: string | null): RoomList {
  let looksSame =
    before.loaded === now.loaded && before.stale === now.stale && before.joinable === now.joinable &&
    before.rooms.size === now.rooms.size;
  const rooms = new Map<string, Room>();
  for (const [id, room] of now.rooms) {
    const was = before.rooms.get(id);
    const stays = was && (id === waits || SHOWN.every((part) => was[part] === room[part]));
    looksSame &&= !!stays;
    rooms.set(id, stays ? was : room);
  }
  return looksSame ? before : { ...now, rooms };
}

/** All that is unread in these rooms; or at least that much. */
export function unreadIn(rooms: Iterable<Room>): Unread {
  let [unread, unread_more] = [0, false];
  for (const room of rooms) [unread, unread_more] = [unread + room.unread, unread_more || room.unread_more === true];
  return { unread, unread_more };
}

export type Unread = Pick<Room, "unread" | "unread_more">;

/** How it is told everywhere: nothing says more, or less, than is known. */
export const countOf = ({ unread, unread_more }: Unread): string =>
  unread_more || unread > 99 ? `${Math.min(unread, 99)}+` : String(unread);

/** `general` first, then by name. */
export function inOrder(list: RoomList): Room[] {
  return [...list.rooms.values()].sort((a, b) =>
    a.room === "general" ? -1 : b.room === "general" ? 1 : a.name.localeCompare(b.name),
  );
}
