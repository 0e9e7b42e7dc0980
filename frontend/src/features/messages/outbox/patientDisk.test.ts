import { beforeEach, describe, expect, it } from "vitest";
import { fakeClock, settled } from "@/testing/fakeClock";
import { fakeTabs } from "@/testing/fakeTabs";
import { message } from "@/testing/messages";
import type { Ask } from "@/types/protocol";
import { memoryDisk, type OutboxDisk } from "./disk";
import { createOutbox } from "./outbox";
import { PATIENCE_MS } from "./patientDisk";

const never = new Promise<never>(() => {});
let time: ReturnType<typeof fakeClock>;
let tabs: ReturnType<typeof fakeTabs>;
let sent: string[];

function open(disk: Promise<OutboxDisk>, leads = true) {
  const ask = (async (_event: string, payload: { text: string; client_id: string }) => {
    sent.push(payload.text);
    return { message: { ...message(sent.length), author: "ada", client_id: payload.client_id } };
  }) as unknown as Ask;
  return createOutbox({
    user: "ada", disk, tabs: tabs.open(leads), ask, clock: time.clock,
    connected: () => true,
    cursor: () => 0,
  });
}

beforeEach(() => {
  time = fakeClock();
  tabs = fakeTabs();
  sent = [];
});

describe("a disk that never answers", () => {
  it("holds up the first message for two seconds and no other, and the page can say that nothing is kept", async () => {
    const outbox = open(never);
    void outbox.add("general", "one");
    await time.go(PATIENCE_MS - 1);
    expect([sent, outbox.keeps.get()]).toEqual([[], true]);
    await time.go(1);
    expect([sent, outbox.keeps.get()]).toEqual([["one"], false]);
    await outbox.add("general", "two");
    await settled();
    expect(sent).toEqual(["one", "two"]);
  });

  it.each(["put", "all", "remove", "wipe"] as const)("in `%s` only, likewise", async (what) => {
    const outbox = open(Promise.resolve({ ...memoryDisk(), durable: true, [what]: () => never }));
    void outbox.load();
    void outbox.add("general", "one");
    await time.go(3 * PATIENCE_MS);
    void outbox.wipe();
    await time.go(PATIENCE_MS);
    void outbox.add("general", "two");
    await time.go(PATIENCE_MS);
    expect(sent).toEqual(["one", "two"]);
  });

  it("leaves what was typed in the journal, for the next page", async () => {
    const outbox = open(never, false);
    void outbox.add("general", "one");
    await time.go(PATIENCE_MS);
    expect(sent).toEqual([]);
    outbox.close();
    void open(never).load();
    await time.go(2 * PATIENCE_MS);
    expect(sent).toEqual(["one"]);
  });

  it("that answers after all has what it was told meanwhile, in order", async () => {
    let answer = (_disk: OutboxDisk) => {};
    const outbox = open(new Promise((resolve) => (answer = resolve)), false);
    void outbox.add("general", "one");
    await time.go(PATIENCE_MS);
    const disk = { ...memoryDisk(), durable: true };
    answer(disk);
    await settled();
    expect([(await disk.all("ada")).map(({ text }) => text), outbox.keeps.get()]).toEqual([["one"], true]);
  });
});

describe("a message for another tab to send", () => {
  const on = () => Promise.resolve({ ...memoryDisk(), durable: true });

  it("is asked after while it waits, and not before", async () => {
    const outbox = open(on(), false);
    void outbox.add("general", "one");
    await time.go(1_999);
    expect(tabs.checked).toEqual([]);
    await time.go(2_001);
    expect(tabs.checked.length).toBe(2);
    expect(new Set(tabs.checked)).toEqual(new Set([outbox.items.get()[0]?.client_id]));
  });

  it("goes out from here when neither disk nor journal can tell it of", async () => {
    const setItem = Storage.prototype.setItem;
    Storage.prototype.setItem = () => {
      throw new DOMException("full", "QuotaExceededError");
    };
    try {
      void open(never, false).add("general", "one");
      await time.go(PATIENCE_MS);
    } finally {
      Storage.prototype.setItem = setItem;
    }
    expect(sent).toEqual(["one"]);
  });
});

describe("what was not sent", () => {
  it("is overdue after four seconds, and not when it went", async () => {
    const outbox = open(Promise.resolve(memoryDisk()), false);
    void outbox.add("general", "one");
    await time.go(3_999);
    expect(outbox.overdue.get()).toBe(false);
    await time.go(1);
    expect(outbox.overdue.get()).toBe(true);
    const [item] = outbox.items.get();
    outbox.settle({ ...message(1), client_id: item?.client_id ?? "", author: "ada" });
    expect(outbox.overdue.get()).toBe(false);
  });
});
