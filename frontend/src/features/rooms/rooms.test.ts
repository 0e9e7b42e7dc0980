import { beforeEach, describe, expect, it } from "vitest";
import { Failure, offline } from "@/lib/failure";
import type { Http } from "@/lib/http";
import { fakeClock, settled } from "@/testing/fakeClock";
import { message } from "@/testing/messages";
import type { Ask, Room } from "@/types/protocol";
import { createRooms, type Rooms } from "./rooms";

let time: ReturnType<typeof fakeClock>;
let rooms: Rooms;
let reads: number[];
let requests: string[];
let answers: (Failure | Room[])[];

const general: Room = { room: "general", name: "general", kind: "public", generation: 1, head: 10, read: 5, unread: 5 };

beforeEach(async () => {
  time = fakeClock();
  reads = [];
  requests = [];
  answers = [[general]];
  const http = (async (method: string, url: string) => {
    requests.push(`${method} ${url}`);
    const answer = (answers.length > 1 ? answers.shift() : answers[0]) ?? [];
    if (answer instanceof Failure) throw answer;
    return { rooms: answer, joinable: [] };
  }) as Http;
  const ask = (async (_event: string, { seq }: { seq: number }) => {
    reads.push(seq);
    return { seq };
  }) as unknown as Ask;
  rooms = createRooms({ user: "ada", base: "", http, ask, clock: time.clock });
  await rooms.refetch();
});

const read = () => rooms.list.get().rooms.get("general");

describe("a page that opens while the server is away", () => {
  const again = (answers: (Failure | Room[])[], user = "ada") => {
    const http = (async () => {
      const answer = answers.shift() ?? [];
      if (answer instanceof Failure) throw answer;
      return { rooms: answer, joinable: [] };
    }) as Http;
    return createRooms({ user, base: "", http, ask: (async () => ({})) as unknown as Ask, clock: time.clock });
  };

  it("shows the rooms that were listed last, until the server lists them", async () => {
    const reopened = again([offline(), [{ ...general, name: "Everybody" }]]);
    await reopened.refetch();
    reopened.remember();
    expect([reopened.list.get().rooms, reopened.list.get().loaded]).toEqual([new Map([["general", general]]), false]);
    await reopened.refetch();
    expect([reopened.list.get().rooms.get("general")?.name, reopened.list.get().loaded]).toEqual(["Everybody", true]);
    reopened.remember();
    expect(reopened.list.get().rooms.get("general")?.name).toBe("Everybody");
  });

  it("shows nobody else's", async () => {
    const others = again([offline()], "grace");
    others.remember();
    expect(others.list.get().rooms.size).toBe(0);
  });
});

describe("what was seen", () => {
  it("is counted at once and told at once", () => {
    rooms.seen("general", 10);
    expect([read()?.unread, reads]).toEqual([0, [10]]);
  });

  it("is told at most every 3 s, and the last of it is not forgotten", async () => {
    for (const seq of [6, 7, 8]) rooms.seen("general", seq);
    await time.go(2_900);
    expect(reads).toEqual([6]);
    await time.go(200);
    expect(reads).toEqual([6, 8]);
  });

  it("is counted anew when the list did not know of it", async () => {
    const before = { ...general, head: 12, unread: 7 };
    answers = [[before], [before], [{ ...before, read: 8, unread: 4 }]];
    rooms.seen("general", 8);
    await rooms.refetch();
    await time.go(6_000);
    expect(reads).toEqual([8, 8]);
    expect(read()).toMatchObject({ read: 8, unread: 4 });
    const asked = requests.length;
    await time.go(60_000);
    expect(requests.length).toBe(asked);
  });

  it("is told before the page is left", () => {
    for (const seq of [6, 7]) rooms.seen("general", seq);
    rooms.tellAll();
    expect(reads).toEqual([6, 7]);
  });

  it("twice is told once", async () => {
    rooms.seen("general", 10);
    rooms.seen("general", 10);
    await time.go(10_000);
    expect(reads).toEqual([10]);
  });
});

describe("the list", () => {
  it("is asked for again after a missed entry", async () => {
    rooms.sent(message(13));
    await time.go(1_000);
    expect(requests).toEqual(["GET /api/rooms", "GET /api/rooms"]);
  });

  it("asked for while an answer is on its way is asked for once more", async () => {
    requests.length = 0;
    await Promise.all([rooms.refetch(), rooms.refetch(), rooms.refetch()]);
    expect(requests).toHaveLength(2);
  });

  it("is asked for again after a passing trouble", async () => {
    requests.length = 0;
    answers = [new Failure({ code: "busy", message: "Busy.", retry: true }), [general]];
    await rooms.refetch();
    expect(rooms.failure.get()?.code).toBe("busy");
    await time.go(1_000);
    await settled();
    expect([requests.length, rooms.failure.get()]).toEqual([2, null]);
  });
});
