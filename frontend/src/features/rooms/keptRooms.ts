import type { Room } from "@/types/protocol";

/** My rooms as the server listed them last: what there is to show when the page opens and the server is away. */
const key = (user: string) => `parley.rooms.${user}`;

export function keepRooms(user: string, rooms: readonly Room[]): void {
  try {
    localStorage.setItem(key(user), JSON.stringify(rooms));
  } catch {
    // A page that opens offline then has no rooms to show.
  }
}

export function keptRooms(user: string): Room[] {
  try {
    return JSON.parse(localStorage.getItem(key(user)) ?? "[]") as Room[];
  } catch {
    return [];
  }
}

const knownKey = (user: string) => `parley.known/${user}`;

/** The rooms that this browser knew me to be in; null when it knew of none. */
export function knownRooms(user: string): ReadonlySet<string> | null {
  try {
    const known = localStorage.getItem(knownKey(user));
    return known === null ? null : new Set(JSON.parse(known) as string[]);
  } catch {
    return null;
  }
}

export function noteRooms(user: string, rooms: ReadonlySet<string>): void {
  try {
    localStorage.setItem(knownKey(user), JSON.stringify([...rooms]));
  } catch {
    // Who was invited while away is not told of it, then.
  }
}

export function wipeRooms(user: string): void {
  try {
    localStorage.removeItem(key(user));
    localStorage.removeItem(knownKey(user));
  } catch {
    // Without storage there is nothing to wipe.
  }
}
