/** The values of docs/protocol.md, as the server sends them. */

export interface User {
  username: string;
  name: string;
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

/** One emoji: the server takes nothing else, so it is never the name of something that every object has. */
export type Emoji = string;

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
  edited_at_ms?: number;
  reply_to?: number;
  deleted: boolean;
  /** Put into the table by somebody who is no user here. */
  via?: "table";
  /** Emoji → how many reacted with it, in the order in which the emoji came. */
  reactions?: Record<Emoji, number>;
  /** Which of the reactions are my own; what goes to many does not say it. */
  mine?: string[];
}

export type EntryKind = "message" | "change" | "joined" | "left" | "removed" | "room" | "tombstone";

export interface Entry {
  seq: number;
  kind: EntryKind;
  at_ms?: number;
  message?: number;
  user?: string;
  name?: string;
  by?: string;
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
}

export interface Room {
  room: string;
  name: string;
  kind: "public" | "private";
  owner?: string;
  generation: number;
  head: number;
  read: number;
  from?: number;
  unread: number;
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

export interface MembershipPush {
  room: string;
  generation: number;
  entry: number;
  user: string;
  name: string;
  by?: string;
  at_ms?: number;
}

/** What the server tells on its own; the name of each event and its payload. */
export interface ServerEvents {
  "message:sent": Message;
  "message:changed": { room: string; generation: number; entry: number; message: Message };
  "member:joined": MembershipPush;
  "member:left": MembershipPush;
  "member:removed": MembershipPush;
  "room:changed": { room: string; generation: number; entry: number; name: string; at_ms?: number };
  "entry:skipped": { room: string; generation: number; entry: number };
  "room:heads": Heads;
  "rooms:changed": Readonly<object>;
  "room:read": { room: string; seq: number };
  "reaction:mine": { room: string; generation: number; seq: number; rev: number; mine: string[] };
  typing: { room: string; user: string; name: string; typing: boolean };
  "session:expiring": { expires_at: number };
  "session:ended": { reason: "logout" | "expired" | "elsewhere" | "everywhere" | "password" | "replaced" };
  "server:restarting": { reconnect_in_ms: number };
}

interface Reaction {
  room: string;
  client_id: string;
  seq: number;
  emoji: string;
}

/** A change was carried out: the message as it is now, or only its entry when that is not ours to see any more. */
export type Done = { message: Message } | { seq: number; message?: undefined };

/** What a client may ask by socket: payload and the answer beside `ok`. */
export interface ClientEvents {
  "message:send": [{ room: string; client_id: string; text: string; after: number; reply_to?: number }, Done];
  "message:edit": [{ room: string; client_id: string; seq: number; text: string }, Done];
  "message:delete": [{ room: string; client_id: string; seq: number }, Done];
  "reaction:add": [Reaction, Done];
  "reaction:remove": [Reaction, Done];
  "reaction:list": [{ room: string; seq: number }, { reactions: Record<Emoji, string[]> }];
  "room:open": [{ room: string; after: number }, Page];
  "room:read": [{ room: string; seq: number }, { seq: number }];
  "typing:start": [{ room: string }, object];
  "typing:stop": [{ room: string }, object];
}

/** Asks the server by socket. Rejects with a Failure. */
export type Ask = <E extends keyof ClientEvents>(event: E, payload: ClientEvents[E][0]) => Promise<ClientEvents[E][1]>;
