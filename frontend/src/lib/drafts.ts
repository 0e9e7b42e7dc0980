/**
 * What somebody has typed and not sent, per user and room: a message, whom it answers, the text of an edit. Survives a
 * reload and the end of a session; wiped at logout. No user's name has a `/`.
 */
import { createStore, type Store } from "@/lib/store";

/** The message that is answered, as it was when the answer began. */
export interface ReplyTo {
  seq: number;
  name: string;
  text: string;
}

/** A message that is being edited, and what it says by now. */
export interface Edit {
  seq: number;
  text: string;
}

const key = (user: string, room: string) => `parley.draft/${user}/${room}`;
const replyKey = (user: string, room: string) => `parley.reply/${user}/${room}`;
const editKey = (user: string, room: string) => `parley.edit/${user}/${room}`;
/** Where earlier versions kept it: a name may have dots, as `a` and `a.b`, a room's id that was typed has none. */
const formerKey = (user: string, room: string) => `parley.draft.${user}.${room}`;

const held = new Map<string, Store<ReadonlySet<string>>>();

/** The rooms in which something was typed and not sent. */
export function draftedRooms(user: string): Store<ReadonlySet<string>> {
  const known = held.get(user);
  if (known) return known;
  const rooms = createStore<ReadonlySet<string>>(new Set());
  const look = () => {
    const found = keysOf(user).filter((name) => !name.startsWith(replyKey(user, ""))).map((name) => roomOf(user, name));
    rooms.set((now) => (found.length === now.size && found.every((room) => now.has(room)) ? now : new Set(found)));
  };
  look();
  addEventListener("storage", look); // of another tab
  held.set(user, rooms);
  return rooms;
}

export function readDraft(user: string, room: string): string {
  return attempt(() => localStorage.getItem(key(user, room)) ?? localStorage.getItem(formerKey(user, room))) ?? "";
}

export function writeDraft(user: string, room: string, text: string): void {
  attempt(() => localStorage.removeItem(formerKey(user, room)));
  write(user, room, key(user, room), text || null);
}

export const readReply = (user: string, room: string): ReplyTo | null => parsed(replyKey(user, room));
export const writeReply = (user: string, room: string, to: ReplyTo | null): void =>
  write(user, room, replyKey(user, room), to && JSON.stringify(to));

export const readEdit = (user: string, room: string): Edit | null => parsed(editKey(user, room));
export const writeEdit = (user: string, room: string, edit: Edit | null): void =>
  write(user, room, editKey(user, room), edit && JSON.stringify(edit));

export function wipeDrafts(user: string): void {
  for (const name of keysOf(user)) attempt(() => localStorage.removeItem(name));
  held.get(user)?.set(new Set());
}

function write(user: string, room: string, name: string, text: string | null) {
  attempt(() => (text === null ? localStorage.removeItem(name) : localStorage.setItem(name, text)));
  const is = readDraft(user, room) !== "" || readEdit(user, room) !== null;
  held.get(user)?.set((now) => {
    if (now.has(room) === is) return now;
    return new Set(is ? [...now, room] : [...now].filter((other) => other !== room));
  });
}

function parsed<T>(name: string): T | null {
  return attempt(() => JSON.parse(localStorage.getItem(name) ?? "null") as T);
}

function keysOf(user: string): string[] {
  const former = formerKey(user, "");
  const ours = [key, replyKey, editKey].map((each) => each(user, ""));
  const isTheirs = (name: string) =>
    ours.some((prefix) => name.startsWith(prefix)) || (name.startsWith(former) && !name.includes(".", former.length));
  return attempt(() => Object.keys(localStorage).filter(isTheirs)) ?? [];
}

const roomOf = (user: string, name: string) =>
  name.startsWith(formerKey(user, "")) ? name.slice(formerKey(user, "").length) : name.split("/").slice(2).join("/");

/** The browser may refuse storage (private windows, full disks); a draft then lives as long as the page. */
function attempt<T>(act: () => T): T | null {
  try {
    return act();
  } catch {
    return null;
  }
}
