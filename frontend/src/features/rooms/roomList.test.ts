// @vitest-environment node
import { describe, expect, it } from "vitest";
import type { Heads, Message, Room } from "@/types/protocol";
import { matching } from "./matching";
import { asShown, emptyRoomList, inOrder, reduceRoomList, type RoomList, type RoomListAction } from "./roomList";

const room = (part: Partial<Room> = {}): Room => ({
  room: "general", name: "general", kind: "public", generation: 1, head: 10, read: 10, unread: 0, ...part,
});
const listed = (...rooms: Room[]): RoomListAction => ({
  type: "listed",
  answer: { rooms, joinable: [{ room: "books", name: "Book club" }] },
});
const entry = (seq: number, counts = true, generation = 1): RoomListAction => ({
  type: "entry", room: "general", generation, seq, counts,
});
const skip = (seq: number): RoomListAction => ({
  type: "entry", room: "general", generation: 1, seq, counts: false, skipped: true,
});
const change = (seq: number, part: Partial<Message>): RoomListAction => ({
  type: "entry", room: "general", generation: 1, seq, counts: false,
  changed: {
    room: "general", generation: 1, rev: seq, client_id: "c", author: "grace", name: "Grace", text: "",
    created_at_ms: 0, deleted: false, seq: 0, ...part,
  },
});
const play = (...actions: RoomListAction[]): RoomList => actions.reduce(reduceRoomList, emptyRoomList);
const general = (list: RoomList) => list.rooms.get("general");

describe("unread counts", () => {
  it("grow with every message of somebody else", () => {
    expect(general(play(listed(room()), entry(11), entry(12)))).toMatchObject({ head: 12, unread: 2 });
  });

  it("do not grow with my own, nor with what is no message", () => {
    expect(general(play(listed(room()), entry(11, false)))).toMatchObject({ head: 11, unread: 0 });
  });

  it("count an entry once, however often it is pushed", () => {
    expect(general(play(listed(room()), entry(11), entry(11)))).toMatchObject({ unread: 1 });
  });

  it("go back when one of them is deleted, once, and not for what was read", () => {
    expect(general(play(listed(room()), entry(11), entry(12), change(13, { seq: 11, deleted: true })))).toMatchObject({
      head: 13,
      unread: 1,
    });
    expect(
      general(
        play(
          listed(room({ unread: 1, read: 9 })), change(11, { seq: 10, deleted: true }),
          change(11, { seq: 10, deleted: true }),
        ),
      ),
    ).toMatchObject({ unread: 0 });
    expect(general(play(listed(room({ unread: 1, read: 9 })), change(11, { seq: 9, deleted: true })))).toMatchObject({
      unread: 1,
    });
  });

  it("stay when one of them is edited or reacted to", () => {
    expect(general(play(listed(room()), entry(11), change(12, { seq: 11 }), change(13, { seq: 11 })))).toMatchObject({
      head: 13,
      unread: 1,
    });
  });

  it("have a message that was changed before it came, once", () => {
    expect(general(play(listed(room()), skip(11), change(12, { seq: 11 }), change(13, { seq: 11 })))).toMatchObject({
      head: 13,
      unread: 1,
    });
  });

  it("never have a message that was deleted before it came", () => {
    expect(
      general(play(listed(room({ unread: 1, read: 9 })), skip(11), change(12, { seq: 11, deleted: true }))),
    ).toMatchObject({ unread: 1 });
  });

  it("are asked for again when too much came of which nothing was told, and then it is forgotten", () => {
    const list = play(listed(room()), ...Array.from({ length: 201 }, (_, n) => skip(11 + n)));
    expect(list.stale).toBe(true);
    expect(reduceRoomList(list, listed(room({ head: 211 }))).skipped.size).toBe(0);
  });

  it("end when everything is read", () => {
    expect(general(play(listed(room()), entry(11), { type: "read", room: "general", seq: 11 }))).toMatchObject({
      unread: 0,
      read: 11,
    });
  });

  it("are asked for again when only a part was read", () => {
    const list = play(listed(room()), entry(11), entry(12), { type: "read", room: "general", seq: 11 });
    expect([list.uncounted, list.stale, general(list)?.read]).toEqual([true, false, 11]);
    expect(reduceRoomList(list, listed(room({ head: 12, read: 11, unread: 1 }))).uncounted).toBe(false);
  });

  it("are not brought back by an answer older than what I read", () => {
    const list = play(
      listed(room()),
      entry(11),
      { type: "read", room: "general", seq: 11 },
      listed(room({ head: 11, unread: 1 })),
    );
    expect(general(list)).toMatchObject({ unread: 0, read: 11 });
  });

  it("never move the read position back", () => {
    expect(general(play(listed(room()), { type: "read", room: "general", seq: 3 }))?.read).toBe(10);
  });
});

describe("a missed entry", () => {
  it("makes the list stale, and a new list mends it", () => {
    const list = play(listed(room()), entry(13));
    expect(list.stale).toBe(true);
    expect(reduceRoomList(list, listed(room({ head: 13, unread: 3 }))).stale).toBe(false);
  });

  it("is seen in the heads", () => {
    expect(play(listed(room()), { type: "heads", heads: { general: [1, 11] } }).stale).toBe(true);
    expect(play(listed(room()), { type: "heads", heads: { general: [1, 10] } }).stale).toBe(false);
  });

  it.each<Heads>([{ general: [2, 10] }, { other: [1, 1] }])("another generation or a new room too: %j", (heads) => {
    expect(play(listed(room()), { type: "heads", heads }).stale).toBe(true);
  });

  it("of a room that is not in the list is a reason to ask", () => {
    expect(play(listed(), entry(1)).stale).toBe(true);
  });
});

it("a room that was made or joined is there at once, and can no longer be joined", () => {
  const list = play(listed(room()), { type: "added", room: room({ room: "books", name: "Book club" }) });
  expect([[...list.rooms.keys()], list.joinable]).toEqual([["general", "books"], []]);
});

it("general stands first, the others by name", () => {
  const list = play(listed(room({ room: "b", name: "beta" }), room(), room({ room: "a", name: "Alpha" })));
  expect(inOrder(list).map(({ name }) => name)).toEqual(["general", "Alpha", "beta"]);
});

describe.each(["constructor", "__proto__", "valueOf", "hasOwnProperty"])("a room that is called %s", (id) => {
  const odd = room({ room: id, name: id });

  it("is none of mine before it is listed", () => {
    const list = play(listed(room()));
    expect([
      list.rooms.get(id), reduceRoomList(list, { type: "read", room: id, seq: 3 }),
      reduceRoomList(list, { type: "told", room: id, part: { name: "x" } }),
    ]).toEqual([undefined, list, list]);
    expect(reduceRoomList(list, { ...entry(11), room: id } as RoomListAction).stale).toBe(true);
    expect(reduceRoomList(list, { type: "heads", heads: JSON.parse(`{"${id}": [1, 10]}`) as Heads }).stale).toBe(true);
  });

  it("is one like any other", () => {
    const list = play(listed(room(), odd), { ...entry(11), room: id } as RoomListAction, {
      type: "told", room: id, part: { name: "Odd" },
    });
    expect(list.rooms.get(id)).toMatchObject({ name: "Odd", head: 11, unread: 1 });
    expect(inOrder(list).map(({ room: each }) => each)).toEqual(["general", id]);
    expect(reduceRoomList(list, { type: "heads", heads: JSON.parse(`{"${id}": [1, 11]}`) as Heads }).stale).toBe(false);
    expect(play({ type: "remembered", rooms: [odd] }, { type: "added", room: odd }).rooms.size).toBe(1);
  });
});

describe("the quick switcher", () => {
  const rooms = [
    room({ room: "d", name: "Design" }), room({ room: "l", name: "Launch" }),
    room({ room: "u", name: "Unread", unread: 3 }),
  ];
  const names = (query: string) =>
    matching(query, rooms, [{ room: "books", name: "Book club" }]).map(({ name }) => name);

  it("begins with what is unread, and ends with what could be joined", () => {
    expect(names("")).toEqual(["Unread", "Design", "Launch", "Book club"]);
  });

  it("finds letters in order, best match first", () => {
    expect([names("la"), names("dsg"), names("club"), names("xyz")]).toEqual([
      ["Launch"],
      ["Design"],
      ["Book club"],
      [],
    ]);
  });
});

it("a public room that somebody makes may be joined at once, once, and not by who is in it", () => {
  const made = (list: RoomList, room: string) => reduceRoomList(list, { type: "made", room: { room, name: room } });
  const room = { room: "mine", name: "mine", kind: "public", generation: 1, head: 1, read: 1, unread: 0 } as const;
  const list = reduceRoomList(emptyRoomList, { type: "listed", answer: { rooms: [room], joinable: [] } });
  expect(made(made(made(list, "design"), "design"), "mine").joinable).toEqual([{ room: "design", name: "design" }]);
});

it("of a room its name, its owner and its count are shown, and not how far it has come", () => {
  const before = play(listed(room({ owner: "ada" })));
  const told = (action: RoomListAction) => asShown(before, reduceRoomList(before, action), null).rooms.get("general");
  expect(told({ type: "told", room: "general", part: { owner: "grace" } })?.owner).toBe("grace");
  expect(told({ type: "told", room: "general", part: { name: "All" } })?.name).toBe("All");
  expect(told(entry(11))?.unread).toBe(1);
  expect(told(entry(11, false))).toBe(before.rooms.get("general"));
});
