import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Session } from "@/types/protocol";
import { createStaying, onActs, stayEvery_s, type Staying } from "./staying";

const MINUTE_MS = 60_000;
const START_MS = 1_790_000_000_000;

let staying: Staying;
let asked: number[];
let answer: () => Promise<Session>;
let stop: () => void;

const at_s = () => Date.now() / 1000;
const press = (key: string, repeat = false) => window.dispatchEvent(new KeyboardEvent("keydown", { key, repeat }));
/** What React and an answer do after it. */
const go = (ms: number) => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => {
  vi.useFakeTimers({ now: START_MS });
  asked = [];
  answer = () => Promise.resolve({ expires_at: at_s() + 1800, ttl_s: 1800 });
  staying = createStaying(() => {
    asked.push((Date.now() - START_MS) / 1000);
    return answer();
  });
  staying.begin(1800);
  staying.began();
  stop = onActs(staying.acted);
});

afterEach(() => {
  stop();
  vi.useRealTimers();
});

describe("somebody at the page", () => {
  it("asks to stay once a minute at most, however much they do", async () => {
    for (let second = 0; second < 300; second++) {
      press("a");
      window.dispatchEvent(new Event("wheel"));
      await go(1_000);
    }
    expect(asked).toEqual([60, 120, 180, 240]);
  });

  it.each(["keydown", "pointerdown", "wheel", "touchstart"])(
    "is there by %s, also where that goes no further",
    async (type) => {
      await go(MINUTE_MS);
      const inside = document.body.appendChild(document.createElement("div"));
      inside.addEventListener(type, (event) => event.stopPropagation());
      inside.dispatchEvent(new Event(type, { bubbles: true }));
      expect(asked).toEqual([60]);
      inside.remove();
    },
  );

  it("is not who only watches: nothing that a page does by itself asks, for as long as it stands", async () => {
    staying.warn(at_s() + 100);
    for (let minute = 0; minute < 60; minute++) {
      for (const type of ["scroll", "pointermove", "mousemove", "focus", "visibilitychange", "resize", "load"]) {
        window.dispatchEvent(new Event(type));
        document.dispatchEvent(new Event(type, { bubbles: true }));
      }
      press("a", true);
      staying.warn(at_s() + 100);
      await go(MINUTE_MS);
    }
    expect(asked).toEqual([]);
  });

  it("asks at once on a page that was just loaded, whose session may be half an hour old", () => {
    staying = createStaying(() => (asked.push(0), answer()));
    staying.begin(1800);
    staying.acted();
    expect(asked).toEqual([0]);
  });

  it("asks again after a minute when there was no answer", async () => {
    answer = () => Promise.reject(new Error("away"));
    await go(MINUTE_MS);
    for (const _ of [1, 2, 3]) press("a");
    await go(MINUTE_MS);
    press("a");
    expect(asked).toEqual([60, 120]);
  });

  it("need not ask for what the server noted by itself", async () => {
    await go(MINUTE_MS);
    staying.slid();
    press("a");
    await go(MINUTE_MS - 1_000);
    staying.slid();
    press("a");
    expect(asked).toEqual([]);
    await go(1_000);
    press("a");
    expect(asked).toEqual([120]);
  });

  it("is heard when the clock was set back", async () => {
    vi.setSystemTime(START_MS - 3_600_000);
    press("a");
    expect(asked).toEqual([-3_600]);
  });

  it("is heard no more when the page is left", async () => {
    await go(MINUTE_MS);
    stop();
    press("a");
    expect(asked).toEqual([]);
  });
});

describe("the notice", () => {
  it("is for who has been quiet, and goes with the first thing that they do", async () => {
    await go(28 * MINUTE_MS);
    staying.warn(at_s() + 120);
    expect(staying.expiring.get()).toBe(at_s() + 120);
    press("a");
    await go(0);
    expect([asked, staying.expiring.get()]).toEqual([[28 * 60], null]);
  });

  it("is not for who types, also while nobody answers them; it waits until they are quiet", async () => {
    answer = () => Promise.reject(new Error("away"));
    await go(28 * MINUTE_MS);
    press("a");
    staying.warn(at_s() + 120);
    const seen: (number | null)[] = [];
    for (let second = 0; second < 100; second += 10) {
      press("a");
      await go(10_000);
      seen.push(staying.expiring.get());
    }
    expect(new Set(seen)).toEqual(new Set([null]));
    await go(MINUTE_MS);
    expect(staying.expiring.get()).not.toBeNull();
  });

  it("says so when the session cannot last longer, and then asks no more for it", async () => {
    const end = at_s() + 30 * 60;
    answer = () => Promise.resolve({ expires_at: end, ttl_s: 1800 });
    await go(28 * MINUTE_MS);
    press("a");
    staying.warn(end);
    expect(staying.last.get()).toBe(false);
    await go(0);
    expect([staying.expiring.get(), staying.last.get()]).toEqual([end, true]);
    staying.begin(1800);
    expect([staying.expiring.get(), staying.last.get()]).toEqual([null, false]);
  });

  it("is gone when what they did was noted by the server", async () => {
    staying.warn(at_s() + 100);
    staying.slid();
    await go(10 * MINUTE_MS);
    expect(staying.expiring.get()).toBeNull();
  });
});

it.each([[1_800, 60], [900, 60], [30 * 86_400, 3_600], [86_400, 2_880], [8, 2]])(
  "a session of %i s is asked for every %i s, as the server reckons it",
  (ttl_s, every_s) => expect(stayEvery_s(ttl_s)).toBe(every_s),
);

it("a press of the button while the act is under way is the same request", async () => {
  await go(MINUTE_MS);
  press("a");
  await Promise.all([staying.stay(), staying.stay()]);
  expect(asked).toEqual([60]);
});
