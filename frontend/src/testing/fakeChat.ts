/** A chat server in memory that speaks docs/protocol.md: for tests and for looking at the page without a server. */
import type { Entry, EntryKind, ErrorBody, Message, Page, Room, User } from "@/types/protocol";

export class Refusal extends Error {
  constructor(readonly status: number, readonly body: ErrorBody) {
    super(body.message);
  }
}

export const refuse = (status: number, code: string, message: string, retry = false) =>
  new Refusal(status, { code, message, retry });

interface FakeRoom {
  room: string;
  name: string;
  kind: Room["kind"];
  owner: string;
  generation: number;
  log: Entry[];
  snapshots: Map<number, Message>;
  members: Set<string>;
  read: Map<string, number>;
}

type Tell = (user: string, event: string, payload: unknown) => void;
const notThere = () => refuse(404, "room_not_found", "There is no such room, or you are not in it.");

export class FakeChat {
  users = new Map<string, User & { password: string }>();
  rooms = new Map<string, FakeRoom>();
  claims = new Map<string, Message>();
  /** By room and message: emoji → who. */
  reactions = new Map<string, Map<string, string[]>>();
  tell: Tell = () => {};
  now_ms = () => Date.now();

  constructor() {
    this.makeRoom("general", "general", "public", "");
  }

  makeRoom(room: string, name: string, kind: Room["kind"], owner: string): FakeRoom {
    const made: FakeRoom = {
      room, name, kind, owner, generation: 1, log: [], snapshots: new Map(), members: new Set(owner ? [owner] : []),
      read: new Map(),
    };
    this.rooms.set(room, made);
    return made;
  }

  register(name: string, password: string): User {
    const username = name.toLowerCase();
    if (!/^[\p{L}\p{N}](?:[._-]?[\p{L}\p{N}])+$/u.test(name)) {
      throw refuse(
        400,
        "username_invalid",
        "A name has 2 to 32 letters or digits; dots, dashes and underscores may stand between them.",
      );
    }
    if (password.length < 8)
      throw refuse(400, "password_length", "A password has at least 8 characters and at most 72 bytes.");
    if (this.users.has(username)) throw refuse(409, "username_taken", "That name is taken. Please choose another.");
    this.users.set(username, { username, name, password });
    this.rooms.get("general")?.members.add(username);
    return { username, name };
  }

  login(name: string, password: string): User {
    const user = this.users.get(name.toLowerCase());
    if (!user || user.password !== password)
      throw refuse(401, "bad_credentials", "That name and password do not match.");
    return { username: user.username, name: user.name };
  }

  mine(user: string, id: string): FakeRoom {
    const room = this.rooms.get(id);
    if (!room?.members.has(user)) throw notThere();
    return room;
  }

  private append(room: FakeRoom, kind: EntryKind, more: Partial<Entry> = {}): number {
    const seq = room.log.length + 1;
    room.log.push({ seq, kind, at_ms: this.now_ms(), ...more });
    return seq;
  }

  private push(room: FakeRoom, event: string, payload: object) {
    for (const member of room.members) this.tell(member, event, payload);
  }

  send(
    user: string,
    { room: id, client_id, text, reply_to }: { room: string; client_id: string; text: string; reply_to?: number },
  ): Message {
    const room = this.mine(user, id);
    const claimed = this.claims.get(`${user} ${client_id}`);
    if (claimed) {
      this.push(room, "message:sent", claimed);
      return claimed;
    }
    if (!text.trim()) throw refuse(400, "text_empty", "A message cannot be empty.");
    if ([...text].length > 4000) throw refuse(400, "text_too_long", "A message has at most 4,000 characters.");
    const seq = this.append(room, "message");
    const message: Message = {
      room: id, generation: room.generation, seq, rev: seq, client_id, author: user,
      name: this.users.get(user)?.name ?? user, text, created_at_ms: this.now_ms(), ...(reply_to ? { reply_to } : {}),
      deleted: false,
    };
    room.snapshots.set(seq, message);
    this.claims.set(`${user} ${client_id}`, message);
    this.push(room, "message:sent", message);
    return message;
  }

  change(user: string, { room: id, seq, text }: { room: string; seq: number; text?: string }): Message {
    const room = this.mine(user, id);
    const held = room.snapshots.get(seq);
    if (!held) throw refuse(404, "message_not_found", "That message does not exist.");
    if (held.author !== user) throw refuse(403, "not_author", "Only its author can change a message.");
    if (held.deleted) throw refuse(409, "message_deleted", "That message was deleted.");
    const entry = this.append(room, "change", { message: seq });
    const message: Message =
      text === undefined
        ? { ...held, rev: entry, text: "", deleted: true, reactions: undefined }
        : { ...held, rev: entry, text, edited_at_ms: this.now_ms() };
    room.snapshots.set(seq, message);
    this.push(room, "message:changed", { room: id, generation: room.generation, entry, message });
    return message;
  }

  react(
    user: string,
    { room: id, seq, emoji }: { room: string; seq: number; emoji: string },
    wanted: boolean,
  ): Message {
    const room = this.mine(user, id);
    const held = room.snapshots.get(seq);
    if (!held) throw refuse(404, "message_not_found", "That message does not exist.");
    if (held.deleted) throw refuse(409, "message_deleted", "That message was deleted.");
    const who = this.reactions.get(`${id} ${seq}`) ?? new Map<string, string[]>();
    const others = (who.get(emoji) ?? []).filter((each) => each !== user);
    who.set(emoji, wanted ? [...others, user] : others);
    this.reactions.set(`${id} ${seq}`, who);
    const entry = this.append(room, "change", { message: seq });
    const counts = [...who]
      .filter(([, people]) => people.length > 0)
      .map(([each, people]) => [each, people.length] as const);
    const message: Message = {
      ...held, rev: entry, reactions: counts.length > 0 ? Object.fromEntries(counts) : undefined,
    };
    room.snapshots.set(seq, message);
    this.push(room, "message:changed", { room: id, generation: room.generation, entry, message });
    const mine = this.mineOf(user, message);
    this.tell(user, "reaction:mine", { room: id, generation: room.generation, seq, rev: entry, mine: mine.mine ?? [] });
    return mine;
  }

  whoReacted(user: string, { room: id, seq }: { room: string; seq: number }): Record<string, string[]> {
    this.mine(user, id);
    const names = (people: string[]) => people.map((each) => this.users.get(each)?.name ?? each);
    return Object.fromEntries(
      [...(this.reactions.get(`${id} ${seq}`) ?? [])].map(([emoji, people]) => [emoji, names(people)]),
    );
  }

  /** A message as one reader gets it. */
  private mineOf(user: string, message: Message): Message {
    if (!message.reactions) return message;
    const who = this.reactions.get(`${message.room} ${message.seq}`) ?? new Map<string, string[]>();
    return { ...message, mine: [...who].filter(([, people]) => people.includes(user)).map(([emoji]) => emoji) };
  }

  skip(id: string) {
    const room = this.rooms.get(id);
    if (!room) throw notThere();
    const entry = this.append(room, "tombstone");
    this.push(room, "entry:skipped", { room: id, generation: room.generation, entry });
  }

  membership(id: string, username: string, kind: "joined" | "left" | "removed", by?: string) {
    const room = this.rooms.get(id);
    const user = this.users.get(username);
    if (!room) throw notThere();
    if (!user) throw refuse(404, "user_not_found", "There is nobody with that name.");
    const entry = this.append(room, kind, { user: username, name: user.name, by });
    if (kind === "joined") room.members.add(username);
    this.push(room, `member:${kind}`, {
      room: id, generation: room.generation, entry, user: username, name: user.name, by, at_ms: this.now_ms(),
    });
    if (kind !== "joined") room.members.delete(username);
    this.tell(username, "rooms:changed", {});
  }

  private page(user: string, room: FakeRoom, entries: Entry[], more: boolean): Page {
    const wanted = new Set(entries.map(({ seq, message }) => message ?? seq));
    const messages = [...room.snapshots.values()]
      .filter(({ seq }) => wanted.has(seq))
      .map((message) => this.mineOf(user, message));
    return { generation: room.generation, entries, messages, head: room.log.length, more, floor: 1, from: 1 };
  }

  open(user: string, { room: id, after }: { room: string; after: number }): Page {
    const room = this.mine(user, id);
    if (!after) return this.before(user, id, room.log.length + 1, 50);
    if (room.log.length - after > 1000) return { ...this.before(user, id, room.log.length + 1, 50), gap: true };
    return this.after(user, id, after, 200);
  }

  before(user: string, id: string, before: number, limit: number): Page {
    const room = this.mine(user, id);
    const to = Math.min(before - 1, room.log.length);
    const from = Math.max(0, to - limit);
    return this.page(user, room, room.log.slice(from, to), from > 0);
  }

  after(user: string, id: string, after: number, limit: number): Page {
    const room = this.mine(user, id);
    return this.page(user, room, room.log.slice(after, after + limit), after + limit < room.log.length);
  }

  around(user: string, id: string, seq: number, limit: number): Page {
    const room = this.mine(user, id);
    const from = Math.max(0, seq - 1 - Math.floor(limit / 2));
    return this.page(user, room, room.log.slice(from, from + limit), from + limit < room.log.length);
  }

  read(user: string, { room: id, seq }: { room: string; seq: number }): number {
    const room = this.mine(user, id);
    const read = Math.max(seq, room.read.get(user) ?? 0);
    room.read.set(user, read);
    this.tell(user, "room:read", { room: id, seq: read });
    return read;
  }

  describe(user: string, { room, name, kind, owner, generation, log, snapshots, read }: FakeRoom): Room {
    const seen = read.get(user) ?? 0;
    const unread = [...snapshots.values()].filter(
      ({ seq, author, deleted }) => seq > seen && author !== user && !deleted,
    ).length;
    return { room, name, kind, owner, generation, head: log.length, read: seen, from: 1, unread, unread_more: false };
  }

  list(user: string) {
    const all = [...this.rooms.values()];
    return {
      rooms: all.filter(({ members }) => members.has(user)).map((room) => this.describe(user, room)),
      joinable: all
        .filter(({ members, kind }) => kind === "public" && !members.has(user))
        .map(({ room, name }) => ({ room, name })),
    };
  }

  heads(user: string) {
    const mine = [...this.rooms.values()].filter(({ members }) => members.has(user));
    return Object.fromEntries(mine.map(({ room, generation, log }) => [room, [generation, log.length]]));
  }
}
