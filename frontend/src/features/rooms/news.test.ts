import { beforeEach, expect, it } from "vitest";
import { createStore } from "@/lib/store";
import { settled } from "@/testing/fakeClock";
import { page } from "@/testing/messages";
import type { Entry, Room } from "@/types/protocol";
import { wipeRooms } from "./keptRooms";
import { followNews } from "./news";
import type { News } from "./newsItems";
import { emptyRoomList } from "./roomList";
import type { Removal } from "./rooms";

const room = (id: string): Room => ({
  room: id, name: id, kind: "private", generation: 1, head: 1, read: 1, unread: 0,
});
const joined = (by?: string): Entry => ({ seq: 1, kind: "joined", user: "ada", name: "Ada", by });

let list = createStore(emptyRoomList);
let removals = createStore<ReadonlyMap<string, Removal>>(new Map());
let news = createStore<readonly News[]>([]);
let asked: string[];
let entries: Entry[];

const mine = (...ids: string[]) =>
  list.set((now) => ({ ...now, loaded: true, rooms: new Map(ids.map((id) => [id, room(id)])) }));

beforeEach(() => {
  list = createStore(emptyRoomList);
  removals = createStore<ReadonlyMap<string, Removal>>(new Map());
  news = createStore<readonly News[]>([]);
  [asked, entries] = [[], [joined("grace")]];
});

const follow = () =>
  followNews({
    user: { username: "ada", name: "Ada" },
    rooms: { list, removals },
    news,
    newest: async (id) => {
      asked.push(id);
      return page(entries);
    },
    nameOf: (username) => (username === "grace" ? "Grace" : username),
  });

it("whoever is brought into a room is told of it, and by whom", async () => {
  follow();
  mine("general");
  mine("general", "design");
  await settled();
  expect(news.get()).toEqual([{ kind: "invited", room: "design", name: "design", by: "Grace" }]);
});

it("so is who was away meanwhile; on the first visit of a browser there is nothing to compare with", async () => {
  const stop = follow();
  mine("general", "launch");
  await settled();
  expect([asked, news.get()]).toEqual([[], []]);
  stop();
  list = createStore(emptyRoomList);
  follow();
  mine("general", "launch", "design");
  await settled();
  expect(news.get().map(({ room: id }) => id)).toEqual(["design"]);
  wipeRooms("ada");
  expect(localStorage.length).toBe(0);
});

it("who joined by themselves, made the room, or is out of it again, is told of no invitation", async () => {
  follow();
  mine("general");
  entries = [joined()];
  mine("general", "books");
  await settled();
  expect([asked, news.get()]).toEqual([["books"], []]);
  entries = [joined("grace")];
  mine("general", "books", "design");
  mine("general", "books");
  await settled();
  expect(news.get()).toEqual([]);
});

it("whoever is put out of a room is told so wherever they are; being brought in again takes its place", async () => {
  follow();
  mine("general", "design");
  removals.set(new Map([["design", { name: "Design", by: "Grace" }]]));
  mine("general");
  expect(news.get()).toEqual([{ kind: "removed", room: "design", name: "Design", by: "Grace" }]);
  mine("general", "design");
  await settled();
  expect(news.get().map(({ kind }) => kind)).toEqual(["invited"]);
});
