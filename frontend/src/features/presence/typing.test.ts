// @vitest-environment node
import { beforeEach, expect, it } from "vitest";
import { fakeClock } from "@/testing/fakeClock";
import type { Ask } from "@/types/protocol";
import { createTyping, typingSentence, type Typing } from "./typing";

let time: ReturnType<typeof fakeClock>;
let typing: Typing;
let told: string[];

beforeEach(() => {
  time = fakeClock();
  told = [];
  const ask = (async (event: string) => told.push(event)) as unknown as Ask;
  typing = createTyping({ user: "ada", ask, clock: time.clock });
});

const heard = (user: string, is = true) =>
  typing.heard({ room: "general", user, name: user.toUpperCase(), typing: is });
const names = () => [...(typing.people.get().get("general")?.values() ?? [])];

it("somebody who types is named until they stop", () => {
  heard("grace");
  expect(names()).toEqual(["GRACE"]);
  heard("grace", false);
  expect(names()).toEqual([]);
});

it("somebody of whom nothing more is heard is forgotten after 6 s", async () => {
  heard("grace");
  await time.go(4_000);
  heard("grace");
  await time.go(4_000);
  expect(names()).toEqual(["GRACE"]);
  await time.go(3_000);
  expect(names()).toEqual([]);
});

it("I am not named to myself", () => {
  heard("ada");
  expect(names()).toEqual([]);
});

it.each(["constructor", "__proto__", "valueOf"])(
  "somebody and a room called %s are named like others, and nobody before",
  (name) => {
    expect(typing.people.get().get(name)).toBeUndefined();
    typing.forget(name, name);
    typing.heard({ room: name, user: name, name: "Odd", typing: true });
    expect([...(typing.people.get().get(name)?.values() ?? [])]).toEqual(["Odd"]);
    typing.forget(name, name);
    expect(typing.people.get().get(name)?.size).toBe(0);
  },
);

it("typing is told every 3 s, stopping once", async () => {
  typing.typed("general");
  typing.typed("general");
  await time.go(3_000);
  typing.typed("general");
  typing.stopped("general");
  typing.stopped("general");
  expect(told).toEqual(["typing:start", "typing:start", "typing:stop"]);
});

it.each([
  [[], ""],
  [["Ada"], "Ada is typing"],
  [["Ada", "Grace"], "Ada and Grace are typing"],
  [["Ada", "Grace", "Linus"], "Ada, Grace and 1 other are typing"],
  [["Ada", "Grace", "Linus", "Margaret"], "Ada, Grace and 2 others are typing"],
])("%j reads: %s", (people, sentence) => expect(typingSentence(people)).toBe(sentence));
