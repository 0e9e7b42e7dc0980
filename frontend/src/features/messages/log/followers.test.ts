import { beforeEach, describe, expect, it } from "vitest";
import { Failure, offline } from "@/lib/failure";
import { fakeClock, settled } from "@/testing/fakeClock";
import { message, page, range, sent } from "@/testing/messages";
import type { Ask, Heads, Page } from "@/types/protocol";
import { createFollowers, type Followers, type Place } from "./followers";

let time: ReturnType<typeof fakeClock>;
let followers: Followers;
let connected: boolean;
/** What `room:open` was asked for, and what it answers: pages or failures, in turn; the last one again and again. */
let asked: number[];
let answers: (Page | Failure)[];
let places: Place[];
let httpPage: Page | Failure | ((place: Place) => Page);

beforeEach(() => {
  time = fakeClock();
  connected = true;
  asked = [];
  answers = [page([sent(1), sent(2)])];
  places = [];
  httpPage = page([]);
  const ask = (async (_event: string, { after }: { after: number }) => {
    asked.push(after);
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    if (answer instanceof Failure) throw answer;
    return answer;
  }) as unknown as Ask;
  const fetchPage = async (_room: string, place: Place) => {
    places.push(place);
    if (httpPage instanceof Failure) throw httpPage;
    return typeof httpPage === "function" ? httpPage(place) : httpPage;
  };
  followers = createFollowers({ ask, fetchPage, clock: time.clock, connected: () => connected });
});

const log = () => {
  const held = followers.rooms.get().get("general");
  if (!held) throw new Error("general is not held");
  return held.log;
};

async function open() {
  followers.hold("general");
  await settled();
  asked.length = 0;
}

describe("opening a room", () => {
  it("asks for the newest page", async () => {
    followers.hold("general");
    await settled();
    expect([asked, log().cursor]).toEqual([[0], 2]);
  });

  it("pulls on while the newest page ends before the head", async () => {
    answers = [page([sent(1)], { head: 3 }), page([sent(2), sent(3)])];
    followers.hold("general");
    await settled();
    expect([asked, log().cursor]).toEqual([[0, 1], 3]);
  });

  it("shows a page by HTTP while the socket is not there, and catches up when heads come", async () => {
    connected = false;
    httpPage = page([sent(1)]);
    followers.hold("general", true);
    await settled();
    expect([asked, places, log().cursor]).toEqual([[], [{}], 1]);
    connected = true;
    answers = [page([sent(2)])];
    followers.heads({ general: [1, 2] });
    await settled();
    expect([asked, log().cursor]).toEqual([[1], 2]);
  });

  it("waits for the socket when it may not be ours yet", async () => {
    connected = false;
    followers.hold("general");
    await settled();
    expect([asked, places]).toEqual([[], []]);
    connected = true;
    followers.connected();
    await settled();
    expect(log().cursor).toBe(2);
  });

  it("says why when it is not ours, and does not ask again", async () => {
    answers = [
      new Failure({ code: "room_not_found", message: "There is no such room, or you are not in it.", retry: false }),
    ];
    followers.hold("general");
    await time.go(60_000);
    expect([asked, followers.rooms.get().get("general")?.failure?.code]).toEqual([[0], "room_not_found"]);
  });

  it("asks again after a passing trouble", async () => {
    answers = [new Failure({ code: "busy", message: "Busy.", retry: true }), page([sent(1)])];
    followers.hold("general");
    await time.go(5_000);
    expect([asked, log().cursor]).toEqual([[0, 0], 1]);
  });
});

describe("a hole seen live", () => {
  it("waits about a second for the missing push before it pulls", async () => {
    await open();
    answers = [page([sent(3), sent(4)])];
    followers.sent(message(4));
    await time.go(900);
    expect(asked).toEqual([]);
    await time.go(200);
    expect([asked, log().cursor]).toEqual([[2], 4]);
  });

  it("needs no pull when the missing push comes", async () => {
    await open();
    followers.sent(message(4));
    followers.sent(message(3));
    await time.go(5_000);
    expect([asked, log().cursor]).toEqual([[], 4]);
  });

  it("is pulled once, however many entries wait behind it", async () => {
    await open();
    answers = [page(range(3, 9).map(sent))];
    for (const seq of range(4, 9)) followers.sent(message(seq));
    await time.go(5_000);
    expect([asked, log().cursor]).toEqual([[2], 9]);
  });

  it("keeps asking when the page does not reach it yet", async () => {
    await open();
    answers = [page([], { head: 4 }), page([sent(3), sent(4)])];
    followers.sent(message(4));
    await time.go(3_000);
    expect([asked, log().cursor]).toEqual([[2, 2], 4]);
  });
});

describe("heads", () => {
  it("pull page by page while there is more", async () => {
    await open();
    answers = [
      page(range(3, 202).map(sent), { head: 450, more: true }),
      page(range(203, 402).map(sent), { head: 450, more: true }),
      page(range(403, 450).map(sent), { head: 450 }),
    ];
    followers.heads({ general: [1, 450] });
    await settled();
    expect([asked, log().cursor]).toEqual([[2, 202, 402], 450]);
  });

  it("that agree with the cursor pull nothing", async () => {
    await open();
    followers.heads({ general: [1, 2] });
    await time.go(5_000);
    expect(asked).toEqual([]);
  });

  it("on a running connection leave the pushes a second to arrive", async () => {
    await open();
    followers.heads({ general: [1, 2] });
    followers.heads({ general: [1, 3] });
    followers.sent(message(3));
    await time.go(5_000);
    expect([asked, log().cursor]).toEqual([[], 3]);
  });

  it("of another generation start the room over", async () => {
    await open();
    answers = [page([sent(1)], { generation: 2, messages: [message(1, { generation: 2 })] })];
    followers.heads({ general: [2, 1] });
    await settled();
    expect([asked, log().generation, log().cursor]).toEqual([[0], 2, 1]);
  });

  it("of rooms that are not held are none of its business", async () => {
    followers.heads({ design: [1, 50] });
    await time.go(5_000);
    expect([asked, followers.rooms.get().size]).toEqual([[], 0]);
  });
});

describe("a gap", () => {
  it("drops what was held and goes on from the newest page", async () => {
    await open();
    answers = [page(range(5001, 5050).map(sent), { gap: true, more: true })];
    followers.heads({ general: [1, 5050] });
    await settled();
    expect([asked, log().oldest, log().cursor]).toEqual([[2], 5001, 5050]);
  });
});

describe("a lost connection", () => {
  it("stops pulling, and goes on from the same cursor afterwards", async () => {
    await open();
    answers = [offline(), page([sent(3)])];
    followers.heads({ general: [1, 3] });
    connected = false;
    await time.go(60_000);
    expect(asked).toEqual([2]);
    followers.disconnected();
    connected = true;
    followers.connected();
    await settled();
    expect([asked, log().cursor]).toEqual([[2, 2], 3]);
  });

  it("makes the comparison of heads untrue until the next one", async () => {
    followers.heads({});
    expect(followers.compared.get()).toBe(true);
    followers.disconnected();
    expect(followers.compared.get()).toBe(false);
  });
});

describe("places in the history", () => {
  it("older pages are asked for before the oldest shown", async () => {
    answers = [page(range(51, 100).map(sent))];
    await open();
    httpPage = page(range(1, 50).map(sent));
    await followers.older("general");
    expect([places, log().oldest]).toEqual([[{ before: 51 }], 1]);
  });

  it("not far back are read page by page, up to the newest; further back they stand alone", async () => {
    answers = [page(range(9_951, 10_000).map(sent))];
    await open();
    httpPage = page([sent(7_000)], { oldest: 6_000, more: true });
    await followers.back("general", 7_000);
    expect([places, log().oldest, log().window]).toEqual([[{ before: 9_951 }], 6_000, null]);
    httpPage = (place) =>
      "before" in place
        ? page([sent(place.before - 1)], { oldest: place.before - 500, more: true })
        : page(range(1, 100).map(sent));
    await followers.back("general", 1);
    expect(places.slice(1)).toEqual([{ before: 6_000 }, { before: 5_500 }, { before: 5_000 }, { around: 1 }]);
  });

  const later = new Failure({ code: "unavailable", message: "Later.", retry: true, retry_after_s: 1 });

  it.each([["it is told to", later], ["the page has a hole at its end", page(range(1, 40).map(sent), { more: true })]])(
    "are asked for again when %s",
    async (_why, first) => {
      answers = [page(range(51, 100).map(sent))];
      await open();
      httpPage = first;
      const asking = followers.older("general");
      await settled();
      expect([places.length, log().oldest, followers.rooms.get().get("general")?.loading]).toEqual([1, 51, "older"]);
      httpPage = page(range(1, 50).map(sent));
      await time.go(2_000);
      await asking;
      expect([places, log().oldest]).toEqual([[{ before: 51 }, { before: 51 }], 1]);
    },
  );

  it("are not asked for again when they are refused for good", async () => {
    answers = [page(range(51, 100).map(sent))];
    await open();
    httpPage = new Failure({ code: "expired", message: "Gone.", retry: false });
    await expect(followers.older("general")).rejects.toThrow("Gone.");
    expect(places).toHaveLength(1);
  });

  it("are asked for once at a time", async () => {
    answers = [page(range(51, 100).map(sent))];
    await open();
    httpPage = page(range(1, 50).map(sent));
    await Promise.all([followers.older("general"), followers.older("general")]);
    expect(places).toHaveLength(1);
  });

  it("a permalink in the shown stretch needs no page", async () => {
    await open();
    await followers.around("general", 2);
    expect(places).toEqual([]);
  });

  it("a permalink far back opens a window", async () => {
    answers = [page(range(951, 1000).map(sent))];
    await open();
    httpPage = page(range(75, 125).map(sent));
    await followers.around("general", 100);
    expect([places, log().window]).toEqual([[{ around: 100 }], { oldest: 75, newest: 125 }]);
  });
});

describe("a dropped room", () => {
  it("takes no answer that comes too late", async () => {
    followers.hold("general");
    followers.drop("general");
    await settled();
    expect(followers.rooms.get().size).toBe(0);
  });
});

it.each(["constructor", "__proto__", "valueOf"])(
  "a room that is called %s is followed from when it is held, until it is dropped",
  async (room) => {
    followers.sent(message(1, { room }));
    followers.heads(JSON.parse(`{"${room}": [1, 9]}`) as Heads);
    expect([followers.cursor(room), followers.rooms.get().size]).toEqual([0, 0]);
    followers.hold(room);
    await settled();
    expect([followers.cursor(room), [...followers.rooms.get().keys()]]).toEqual([2, [room]]);
    followers.drop(room);
    expect(followers.rooms.get().has(room)).toBe(false);
  },
);
