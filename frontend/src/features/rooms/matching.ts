import type { Room, RoomName } from "@/types/protocol";
import type { Unread } from "./roomList";

export interface Choice extends Unread {
  room: string;
  name: string;
  joinable: boolean;
}

/** Rooms that contain the letters in order: mine before others, unread first, then where the letters come earliest. */
export function matching(query: string, rooms: readonly Room[], joinable: readonly RoomName[]): Choice[] {
  const all: Choice[] = [
    ...rooms.map(({ room, name, unread, unread_more }) => ({ room, name, unread, unread_more, joinable: false })),
    ...joinable.map(({ room, name }) => ({ room, name, unread: 0, joinable: true })),
  ];
  const scored = all
    .map((choice) => ({ choice, score: distance(query, choice.name) }))
    .filter(({ score }) => score >= 0);
  scored.sort((a, b) =>
    a.score - b.score || Number(a.choice.joinable) - Number(b.choice.joinable) ||
    Number(b.choice.unread > 0) - Number(a.choice.unread > 0) || a.choice.name.localeCompare(b.choice.name));
  return scored.map(({ choice }) => choice);
}

/** 0 for the best match, larger for worse, -1 for none. */
function distance(query: string, name: string): number {
  const [letters, within] = [[...query.trim().toLowerCase()], name.toLowerCase()];
  let at = -1;
  let gaps = 0;
  for (const letter of letters) {
    const found = within.indexOf(letter, at + 1);
    if (found < 0) return -1;
    gaps += found - at - 1;
    at = found;
  }
  return gaps;
}
