import { beforeEach, expect, it } from "vitest";
import { Failure } from "@/lib/failure";
import { fakeClock, settled } from "@/testing/fakeClock";
import { message, page, range, sent } from "@/testing/messages";
import type { Ask, Page } from "@/types/protocol";
import { createFollowers, type Followers, type Place } from "./followers";
import { emptyLog, lacks, reduceLog } from "./log";

let followers: Followers;
let places: Place[];
let answer: Page | Failure;

beforeEach(async () => {
  places = [];
  const newest = page(range(151, 200).map(sent), { head: 200, more: true });
  followers = createFollowers({
    ask: (async () => newest) as unknown as Ask,
    fetchPage: async (_room: string, place: Place) => {
      places.push(place);
      if (answer instanceof Failure) throw answer;
      return answer;
    },
    clock: fakeClock().clock,
    connected: () => true,
  });
  followers.hold("general");
  await settled();
});

const log = () => followers.rooms.get().get("general")?.log ?? emptyLog;

it("a message that others answer is fetched once, by itself, and nothing around it is taken for known", async () => {
  answer = page([sent(7)], { head: 200, messages: [message(7, { text: "what it was about" })] });
  await Promise.all([followers.find("general", 7), followers.find("general", 7)]);
  await followers.find("general", 7);
  expect(places).toEqual([{ around: 7, limit: 1 }]);
  expect([log().snapshots.get(7)?.text, log().oldest, log().window]).toEqual(["what it was about", 151, null]);
});

it("one that is here, or from before one's time, is not asked for", async () => {
  answer = page([]);
  await followers.find("general", 160);
  await followers.find("general", 0);
  expect(places).toEqual([]);
});

it("one that could not be had is asked for when it is wanted again; one that there is none of is not", async () => {
  answer = new Failure({ code: "unavailable", message: "Later.", retry: true });
  await followers.find("general", 7);
  await followers.find("general", 7);
  answer = page([], { head: 200 });
  await followers.find("general", 7);
  await followers.find("general", 7);
  expect(places.length).toBe(3);
});

it("what is among the newest is gone to there, also from a stretch elsewhere", async () => {
  answer = page(range(20, 69).map(sent), { head: 200 });
  await followers.around("general", 40);
  expect(log().window).toEqual({ oldest: 20, newest: 69 });
  await followers.around("general", 170);
  expect([log().window, places.length]).toEqual([null, 1]);
});

it("that there is no such message is known of what is held, and beyond the end, and of nothing else", () => {
  const held = reduceLog(emptyLog, {
    type: "page", asked: 0, page: page([sent(51), { seq: 52, kind: "change", message: 51 }], { head: 52, more: true }),
  });
  expect([51, 52, 53, 7].map((seq) => lacks(held, seq))).toEqual([false, true, true, false]);
  expect(lacks(reduceLog(held, { type: "heads", generation: 1, head: 60 }), 55)).toBe(false);
  expect(lacks(emptyLog, 1)).toBe(false);
});
