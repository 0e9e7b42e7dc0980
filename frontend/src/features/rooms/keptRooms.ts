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

export function wipeRooms(user: string): void {
  try {
    localStorage.removeItem(key(user));
  } catch {
    // Without storage there is nothing to wipe.
  }
}
