/** The values of docs/protocol.md, as the server sends them. Made by frontend/scripts/protocol.py from chat/wire and
 * chat/sockets/protocol.py: what is to be different here, change there. */

/** One emoji: the server takes nothing else, so it is never the name of something that every object has. */
export type Emoji = string;

export type EntryKind = "message" | "change" | "joined" | "left" | "removed" | "room" | "tombstone";

export interface User {
  username: string;
  name: string;
}

export interface Member {
  username: string;
  name: string;
  /** Who owns the room when its owner goes and names nobody. */
  next?: boolean;
}

export interface Session {
  expires_at: number;
  /** How long it lives on after an act; a server of before does not say. */
  ttl_s?: number;
}

/** One of my sessions; times in seconds. */
export interface Device {
  id: string;
  current: boolean;
  device: string;
  began_at: number;
  expires_at: number;
  /** Its person asked to be kept signed in there. */
  kept?: boolean;
}

export interface Message {
  room: string;
  generation: number;
  seq: number;
  rev: number;
  client_id: string;
  author: string;
  name: string;
  text: string;
  created_at_ms: number;
  deleted: boolean;
  edited_at_ms?: number;
  reply_to?: number;
  /** Put into the table by somebody who is no user here. */
  via?: "table";
  /** Emoji → how many reacted with it, in the order in which the emoji came. */
  reactions?: Record<Emoji, number>;
  /** Which of the reactions are my own; what goes to many does not say it. */
  mine?: string[];
}

export interface Entry {
  seq: number;
  kind: EntryKind;
  at_ms?: number;
  message?: number;
  user?: string;
  name?: string;
  by?: string;
  /** Who owns the room from here on, because its owner went. */
  successor?: string;
}

export interface Page {
  generation: number;
  entries: Entry[];
  messages: Message[];
  head: number;
  more: boolean;
  floor?: number;
  from?: number;
  gap?: boolean;
  /** Of a sparse page: from here on it has all there is to show. */
  oldest?: number;
  /** What its messages answer and is not among them; a server of before sends none. */
  quotes?: Message[];
}

export interface Room {
  room: string;
  name: string;
  kind: "public" | "private";
  generation: number;
  head: number;
  read: number;
  unread: number;
  owner?: string;
  from?: number;
  unread_more?: boolean;
}

export interface RoomName {
  room: string;
  name: string;
}

export interface RoomsAnswer {
  rooms: Room[];
  joinable: RoomName[];
  rooms_after?: string;
  joinable_after?: string;
}

/** By room; only ever gone through, for rooms may be called `constructor`. */
// eslint-disable-next-line no-restricted-syntax -- as it is sent
export type Heads = Record<string, [generation: number, head: number]>;

export interface ErrorBody {
  code: string;
  message: string;
  retry: boolean;
  retry_after_s?: number;
}

export interface MessageChanged {
  room: string;
  generation: number;
  entry: number;
  message: Message;
}

export interface MembershipPush {
  room: string;
  generation: number;
  entry: number;
  user: string;
  name: string;
  by?: string;
  successor?: string;
  at_ms?: number;
}

export interface RoomChanged {
  room: string;
  generation: number;
  entry: number;
  name: string;
  at_ms?: number;
}

export interface EntrySkipped {
  room: string;
  generation: number;
  entry: number;
}

export interface RoomMade {
  room: string;
  name: string;
}

export interface PositionMoved {
  room: string;
  seq: number;
}

export interface MyReactions {
  room: string;
  generation: number;
  seq: number;
  rev: number;
  mine: string[];
}

export interface Typing {
  room: string;
  user: string;
  name: string;
  typing: boolean;
}

export interface SessionExpiring {
  expires_at: number;
}

export interface SessionEnded {
  reason: "logout" | "expired" | "elsewhere" | "everywhere" | "password" | "replaced";
}

export interface ServerRestarting {
  reconnect_in_ms: number;
}

/** What the server tells on its own; the name of each event and its payload. */
export interface ServerEvents {
  "message:sent": Message;
  "message:changed": MessageChanged;
  "member:joined": MembershipPush;
  "member:left": MembershipPush;
  "member:removed": MembershipPush;
  "room:changed": RoomChanged;
  "entry:skipped": EntrySkipped;
  "room:heads": Heads;
  "rooms:changed": object;
  "room:made": RoomMade;
  "room:read": PositionMoved;
  "reaction:mine": MyReactions;
  typing: Typing;
  "session:expiring": SessionExpiring;
  "session:ended": SessionEnded;
  "server:restarting": ServerRestarting;
}

/** A change was carried out: the message as it is now, or only its entry when that is not ours to see any more. */
export type Done = { message: Message; seq?: undefined } | { seq: number; message?: undefined };

/** What a client may ask by socket: payload and the answer beside `ok`. */
export interface ClientEvents {
  "message:send": [{ room: string; client_id: string; text: string; reply_to?: number; after?: number }, Done];
  "message:edit": [{ room: string; client_id: string; text: string; seq: number }, Done];
  "message:delete": [{ room: string; client_id: string; seq: number }, Done];
  "reaction:add": [{ room: string; client_id: string; emoji: string; seq: number }, Done];
  "reaction:remove": [{ room: string; client_id: string; emoji: string; seq: number }, Done];
  "reaction:list": [{ room: string; seq: number }, { reactions: Record<Emoji, string[]> }];
  "room:open": [{ room: string; after?: number }, Page];
  "room:read": [{ room: string; seq: number }, { seq: number }];
  "typing:start": [{ room: string }, object];
  "typing:stop": [{ room: string }, object];
}

/** Asks the server by socket. Rejects with a Failure. */
export type Ask = <E extends keyof ClientEvents>(event: E, payload: ClientEvents[E][0]) => Promise<ClientEvents[E][1]>;
