import { beforeEach, describe, expect, it, vi } from "vitest";
import { fakeClock, settled } from "@/testing/fakeClock";
import { openTabs } from "./tabs";

/** Web Locks as browsers have them: one holder, a queue, and stealing, which ends the holder's request. */
function fakeLocks() {
  let holder: { fail(error: Error): void } | null = null;
  const queue: (() => void)[] = [];
  const next = () => {
    if (!holder) queue.shift()?.();
  };
  return {
    request: (_name: string, { signal, steal }: LockOptions, granted: () => Promise<void> | undefined) =>
      new Promise<void>((resolve, reject) => {
        const take = () => {
          if (signal?.aborted) return next();
          const mine = (holder = { fail: reject });
          void Promise.resolve(granted()).then(() => {
            if (holder === mine) holder = null;
            resolve();
            next();
          });
        };
        signal?.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
        if (steal) {
          holder?.fail(new DOMException("stolen", "AbortError"));
          holder = null;
          take();
        } else if (holder) queue.push(take);
        else take();
      }),
  };
}

let time: ReturnType<typeof fakeClock>;
let number = 0;
let name: string;

beforeEach(() => {
  time = fakeClock();
  name = `tabs-${(number += 1)}`;
  vi.stubGlobal("navigator", { locks: fakeLocks() });
});

const tab = (knows: boolean) => {
  const made = openTabs(name, time.clock);
  made.answer(() => knows);
  made.lead();
  return made;
};

describe("the tab that leads", () => {
  it("keeps the lead when it says that it knows of a message", async () => {
    const [first, second] = [tab(true), tab(true)];
    await settled();
    second.check("one");
    await settled();
    await time.go(10_000);
    expect([first.leading.get(), second.leading.get()]).toEqual([true, false]);
    first.close();
    await settled();
    expect(second.leading.get()).toBe(true);
    second.close();
  });

  it("loses it to another when it does not, and leads again when that one goes", async () => {
    const [first, second] = [tab(false), tab(true)];
    await settled();
    second.check("one");
    await time.go(1_999);
    expect(second.leading.get()).toBe(false);
    await time.go(1);
    await settled();
    expect([first.leading.get(), second.leading.get()]).toEqual([false, true]);
    second.close();
    await settled();
    expect(first.leading.get()).toBe(true);
    first.close();
  });

  it("is any tab that asked, where locks are never given", async () => {
    vi.stubGlobal("navigator", { locks: { request: () => new Promise(() => {}) } });
    const only = tab(true);
    await settled();
    expect(only.leading.get()).toBe(false);
    only.check("one");
    await time.go(2_000);
    expect(only.leading.get()).toBe(true);
    only.close();
  });
});
