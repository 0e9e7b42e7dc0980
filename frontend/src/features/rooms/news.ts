import type { Store } from "@/lib/store";
import type { Entry, Page, User } from "@/types/protocol";
import { knownRooms, noteRooms } from "./keptRooms";
import type { News } from "./newsItems";
import type { Rooms } from "./rooms";

interface Needs {
  user: User;
  rooms: Pick<Rooms, "list" | "removals">;
  news: Store<readonly News[]>;
  newest(room: string): Promise<Page>;
  nameOf(username: string): string;
}

/** Who brought that person in, when they last came; undefined when they came by themselves, or nobody can say. */
const broughtBy = (entries: readonly Entry[], username: string) =>
  entries.findLast(({ kind, user }) => kind === "joined" && user === username)?.by;

/**
 * Notes what others did with my memberships: brought me into a room, also while I was away, or put me out of one. The
 * answer ends it.
 */
export function followNews({ user: { username }, rooms, news, newest, nameOf }: Needs): () => void {
  const add = (item: News) => news.set((all) => [...all.filter(({ room }) => room !== item.room), item]);
  let known = knownRooms(username);

  async function brought(room: string, name: string) {
    const page = await newest(room).catch(() => null);
    const by = page ? broughtBy(page.entries, username) : undefined;
    if (by && by !== username && rooms.list.get().rooms.has(room)) add({ kind: "invited", room, name, by: nameOf(by) });
  }

  function listed() {
    const { loaded, rooms: mine } = rooms.list.get();
    if (!loaded) return;
    const before = known;
    if (before && before.size === mine.size && [...mine.keys()].every((room) => before.has(room))) return;
    known = new Set(mine.keys());
    noteRooms(username, known);
    news.set((all) => all.filter(({ kind, room }) => kind === "removed" || mine.has(room)));
    for (const { room, name, kind } of mine.values())
      if (before && !before.has(room) && (kind === "private" || room !== "general")) void brought(room, name);
  }

  let told = rooms.removals.get();
  function removed() {
    const [before, now] = [told, rooms.removals.get()];
    told = now;
    for (const [room, { name, by }] of now) if (!before.has(room)) add({ kind: "removed", room, name, by });
  }

  listed();
  const stops = [rooms.list.subscribe(listed), rooms.removals.subscribe(removed)];
  return () => stops.forEach((stop) => stop());
}
