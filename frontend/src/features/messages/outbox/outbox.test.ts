import { IDBFactory } from "fake-indexeddb";
import { beforeEach, describe, expect, it } from "vitest";
import { Failure, offline, timedOut } from "@/lib/failure";
import type { Tabs } from "@/lib/tabs";
import { fakeClock, settled } from "@/testing/fakeClock";
import { fakeTabs } from "@/testing/fakeTabs";
import { message } from "@/testing/messages";
import type { Ask, Message } from "@/types/protocol";
import { memoryDisk, openOutboxDisk, type OutboxDisk, type Waiting } from "./disk";
import { createOutbox, type Outbox } from "./outbox";

interface Sent {
  room: string;
  client_id: string;
  text: string;
  after: number;
  reply_to?: number;
}

let time: ReturnType<typeof fakeClock>;
let disk: OutboxDisk;
let connected: boolean;
/** Requests that are out, each waiting for its answer. */
let requests: {
  payload: Sent;
  answer(message?: Partial<Message>): void;
  answerUnseen(): void;
  refuse(failure: Failure): void;
}[];
let seq: number;
let ids: number;
let tabs: ReturnType<typeof fakeTabs>;

const echoOf = ({ room, client_id, text }: Sent, part: Partial<Message> = {}) =>
  message((seq += 1), { room, client_id, text, author: "ada", ...part });

const ask = ((_event: string, payload: Sent) =>
  new Promise((resolve, reject) => {
    requests.push({
      payload,
      answer: (part) => resolve({ message: echoOf(payload, part) }),
      answerUnseen: () => resolve({ seq: 7 }),
      refuse: reject,
    });
  })) as unknown as Ask;

function openTab(user = "ada", tab: Tabs = tabs.open()): Outbox {
  return createOutbox({
    user, disk: Promise.resolve(disk), tabs: tab, ask, clock: time.clock, connected: () => connected, cursor: () => 41,
    newId: () => `id-${(ids += 1)}`,
  });
}

const states = (outbox: Outbox) => outbox.items.get().map(({ text, state }) => `${text} ${state}`);
const sentTexts = () => requests.map(({ payload }) => payload.text);
const onDisk = async (user = "ada") => (await disk.all(user)).map(({ text }) => text).sort();
const busy = (retry_after_s?: number) =>
  new Failure({ code: "rate_limited", message: "Slow down.", retry: true, retry_after_s });
const tooLong = () =>
  new Failure({ code: "text_too_long", message: "A message has at most 4,000 characters.", retry: false });

function request(index: number) {
  const found = requests[index];
  if (!found) throw new Error(`only ${requests.length} requests`);
  return found;
}

beforeEach(async () => {
  localStorage.clear();
  time = fakeClock();
  disk = await openOutboxDisk(new IDBFactory());
  connected = true;
  requests = [];
  tabs = fakeTabs();
  seq = 41;
  ids = 0;
});

describe("sending", () => {
  it("shows a message at once and sends it with the cursor of its room", async () => {
    const outbox = openTab();
    void outbox.add("general", "hello", 7);
    expect(states(outbox)).toEqual(["hello queued"]);
    await settled();
    expect(states(outbox)).toEqual(["hello sending"]);
    expect(request(0).payload).toEqual({ room: "general", client_id: "id-1", text: "hello", after: 41, reply_to: 7 });
  });

  it("is on disk before it is on its way, and off it once acked", async () => {
    const outbox = openTab();
    await outbox.add("general", "hello");
    expect(await onDisk()).toEqual(["hello"]);
    request(0).answer();
    await settled();
    expect([await onDisk(), states(outbox)]).toEqual([[], ["hello sent"]]);
  });

  it("has one message in flight per room, in the order typed", async () => {
    const outbox = openTab();
    for (const text of ["one", "two", "three"]) void outbox.add("general", text);
    await settled();
    expect(sentTexts()).toEqual(["one"]);
    request(0).answer();
    await settled();
    request(1).answer();
    await settled();
    expect(sentTexts()).toEqual(["one", "two", "three"]);
  });

  it("does not let one room wait for another", async () => {
    const outbox = openTab();
    void outbox.add("general", "one");
    void outbox.add("design", "two");
    await settled();
    expect(sentTexts()).toEqual(["one", "two"]);
  });

  it("shows the settled message until the log does", async () => {
    const outbox = openTab();
    await outbox.add("general", "hello");
    request(0).answer();
    await settled();
    outbox.prune((shown) => shown.seq > 42);
    expect(states(outbox)).toEqual(["hello sent"]);
    outbox.prune((shown) => shown.seq <= 42);
    expect(states(outbox)).toEqual([]);
  });
});

describe("the ack and the echo", () => {
  it("echo first: settled once, and the ack changes nothing", async () => {
    const outbox = openTab();
    await outbox.add("general", "hello");
    outbox.settle(echoOf(request(0).payload));
    const settledOnce = outbox.items.get();
    request(0).answer({ seq: 99 });
    await settled();
    expect([outbox.items.get(), await onDisk()]).toEqual([settledOnce, []]);
    expect(requests).toHaveLength(1);
  });

  it("ack first: the echo changes nothing", async () => {
    const outbox = openTab();
    await outbox.add("general", "hello");
    request(0).answer();
    await settled();
    const settledOnce = outbox.items.get();
    outbox.settle(echoOf(request(0).payload));
    expect(outbox.items.get()).toBe(settledOnce);
  });

  it("a lost ack is asked for again under the same client_id", async () => {
    const outbox = openTab();
    await outbox.add("general", "hello");
    request(0).refuse(timedOut());
    await time.go(1);
    expect([request(1).payload.client_id, request(1).payload.text]).toEqual(["id-1", "hello"]);
  });

  it("an echo during the wait for a resend stops the resend", async () => {
    const outbox = openTab();
    await outbox.add("general", "hello");
    request(0).refuse(busy(3));
    await settled();
    outbox.settle(echoOf(request(0).payload));
    await time.go(60_000);
    expect([requests.length, states(outbox)]).toEqual([1, ["hello sent"]]);
  });

  it("a reply to what is not there is refused for good: it says why, and keeps its words", async () => {
    const outbox = openTab();
    await outbox.add("general", "my answer", 7);
    const why = { code: "reply_not_found", message: "The message that this answers does not exist." };
    request(0).refuse(new Failure({ ...why, retry: false }));
    await settled();
    outbox.resume();
    expect(outbox.items.get()).toMatchObject([{ text: "my answer", state: "failed", failed: why, reply_to: 7 }]);
    expect([requests.length, await onDisk()]).toEqual([1, ["my answer"]]);
  });
  it("an echo of the first attempt and a refusal of the second leave it sent", async () => {
    const outbox = openTab();
    await outbox.add("general", "hello");
    request(0).refuse(timedOut());
    await time.go(1);
    outbox.settle(echoOf(request(0).payload));
    request(1).refuse(tooLong());
    await settled();
    expect(states(outbox)).toEqual(["hello sent"]);
  });

  it("somebody else's message with the same client_id settles nothing", async () => {
    const outbox = openTab();
    await outbox.add("general", "hello");
    outbox.settle(echoOf(request(0).payload, { author: "grace" }));
    expect(states(outbox)).toEqual(["hello sending"]);
  });

  it("an echo before the disk has the message leaves nothing on it", async () => {
    const outbox = openTab();
    const adding = outbox.add("general", "hello");
    outbox.settle(message(42, { author: "ada", client_id: "id-1", text: "hello" }));
    await adding;
    await settled();
    expect([await onDisk(), requests.length]).toEqual([[], 0]);
  });
});

describe("trouble", () => {
  it("without a connection messages wait, and go once it is back, in order", async () => {
    connected = false;
    const outbox = openTab();
    await outbox.add("general", "one");
    await outbox.add("general", "two");
    await time.go(60_000);
    expect([requests.length, states(outbox)]).toEqual([0, ["one queued", "two queued"]]);
    connected = true;
    outbox.resume();
    request(0).answer();
    await settled();
    expect(sentTexts()).toEqual(["one", "two"]);
  });

  it("a connection lost with a message in flight: it goes again on reconnect, at once", async () => {
    const outbox = openTab();
    await outbox.add("general", "hello");
    connected = false;
    request(0).refuse(offline());
    await settled();
    connected = true;
    outbox.resume();
    expect([requests.length, request(1).payload.client_id]).toEqual([2, "id-1"]);
  });

  it("waits as long as the server says", async () => {
    const outbox = openTab();
    await outbox.add("general", "hello");
    request(0).refuse(busy(7));
    await time.go(6_900);
    expect(requests).toHaveLength(1);
    await time.go(400);
    expect(requests).toHaveLength(2);
  });

  it("backs off when the server does not say", async () => {
    const outbox = openTab();
    await outbox.add("general", "hello");
    for (const [index, wait_ms] of [500, 1000, 2000].entries()) {
      request(index).refuse(busy());
      await time.go(wait_ms - 10);
      expect(requests).toHaveLength(index + 1);
      await time.go(20);
      expect(requests).toHaveLength(index + 2);
    }
  });

  it("keeps the order: what was typed later does not overtake a message that rests", async () => {
    const outbox = openTab();
    await outbox.add("general", "one");
    request(0).refuse(busy(5));
    await settled();
    await outbox.add("general", "two");
    await time.go(1_000);
    expect(sentTexts()).toEqual(["one"]);
  });

  it("a message that the server will never take fails with its sentence, and the next one goes", async () => {
    const outbox = openTab();
    await outbox.add("general", "long");
    await outbox.add("general", "short");
    request(0).refuse(tooLong());
    await settled();
    expect([states(outbox), outbox.items.get()[0]?.failed?.message]).toEqual([
      ["long failed", "short sending"],
      "A message has at most 4,000 characters.",
    ]);
  });

  it("an ended session is no failure of the message", async () => {
    const outbox = openTab();
    await outbox.add("general", "hello");
    connected = false;
    request(0).refuse(new Failure({ code: "unauthenticated", message: "Please sign in.", retry: false }));
    await settled();
    expect([states(outbox), await onDisk()]).toEqual([["hello queued"], ["hello"]]);
  });

  it("a cursor that the server does not know is not the message's fault: it goes again without one", async () => {
    const outbox = openTab();
    await outbox.add("general", "hello");
    request(0).refuse(new Failure({ code: "cursor_invalid", message: "No such place.", retry: false }));
    await settled();
    expect([request(1).payload.after, request(1).payload.client_id]).toEqual([0, "id-1"]);
  });
});

describe("a failed message", () => {
  async function failed(code = "text_too_long") {
    const outbox = openTab();
    await outbox.add("general", "hello");
    request(0).refuse(new Failure({ code, message: "No.", retry: false }));
    await settled();
    return outbox;
  }

  it("goes again on demand, as the same request", async () => {
    const outbox = await failed();
    await outbox.retry("id-1");
    expect([states(outbox), request(1).payload.client_id]).toEqual([["hello sending"], "id-1"]);
  });

  it("gets a new client_id when its old one was taken by another content", async () => {
    const outbox = await failed("client_id_reused");
    await outbox.retry("id-1");
    expect([request(1).payload.client_id, states(outbox)]).toEqual(["id-2", ["hello sending"]]);
  });

  it("can be deleted, from the disk too", async () => {
    const outbox = await failed();
    await outbox.remove("id-1");
    expect([states(outbox), await onDisk()]).toEqual([[], []]);
  });

  it("is still failed after a reload, and is not sent by itself", async () => {
    await failed();
    await settled();
    const reloaded = openTab();
    await reloaded.load();
    await time.go(60_000);
    expect([states(reloaded), requests.length]).toEqual([["hello failed"], 1]);
  });
});

describe("a reload", () => {
  it("brings back what was not acked and sends it in order, under the same client_ids", async () => {
    connected = false;
    const before = openTab();
    for (const text of ["one", "two"]) await before.add("general", text);
    before.close();
    connected = true;
    const after = openTab();
    await after.load();
    request(0).answer();
    await settled();
    expect(requests.map(({ payload }) => `${payload.client_id} ${payload.text}`)).toEqual(["id-1 one", "id-2 two"]);
  });

  it("keeps new messages behind the old ones, whatever the clock says now", async () => {
    connected = false;
    await openTab().add("general", "old");
    time = fakeClock(1_000_000);
    const after = openTab();
    await after.load();
    await after.add("general", "new");
    expect(states(after)).toEqual(["old queued", "new queued"]);
  });

  it("asked for twice loads nothing twice", async () => {
    connected = false;
    await openTab().add("general", "hello");
    const after = openTab();
    await Promise.all([after.load(), after.load()]);
    expect(states(after)).toEqual(["hello queued"]);
  });

  it("shows one person nothing of another's", async () => {
    connected = false;
    await openTab().add("general", "mine");
    const other = openTab("grace");
    await other.load();
    expect(states(other)).toEqual([]);
  });
});

describe("a page that ends right after Enter", () => {
  const never = () => new Promise<never>(() => {});

  it("before the disk has the message: it goes with the next page, as the same request", async () => {
    const kept = disk;
    disk = { ...kept, put: never };
    const ended = openTab();
    void ended.add("general", "hello");
    ended.close();
    disk = kept;
    await openTab().load();
    await settled();
    expect(requests.map(({ payload }) => [payload.client_id, payload.text])).toEqual([["id-1", "hello"]]);
    expect([await onDisk(), localStorage.length]).toEqual([["hello"], 0]);
  });

  it("when the disk has it already, before the page heard so: it goes once", async () => {
    const kept = disk;
    disk = { ...kept, put: (item) => kept.put(item).then(never) };
    const ended = openTab();
    void ended.add("general", "hello");
    ended.close();
    await settled();
    disk = kept;
    const outbox = openTab();
    await outbox.load();
    await settled();
    expect(states(outbox)).toEqual(["hello sending"]);
    request(0).answer();
    await settled();
    expect([requests.length, await onDisk(), localStorage.length]).toEqual([1, [], 0]);
  });

  it("twice in a row: in the order typed", async () => {
    const kept = disk;
    disk = { ...kept, put: never };
    const ended = openTab();
    void ended.add("general", "one");
    void ended.add("general", "two");
    ended.close();
    disk = kept;
    const outbox = openTab();
    await outbox.load();
    void outbox.add("general", "three");
    expect(outbox.items.get().map(({ text }) => text)).toEqual(["one", "two", "three"]);
  });

  it("is wiped at a logout like all the rest", async () => {
    const kept = disk;
    disk = { ...kept, put: never };
    const outbox = openTab();
    void outbox.add("general", "hello");
    void outbox.wipe();
    disk = kept;
    const next = openTab();
    await next.load();
    expect([states(next), localStorage.length]).toEqual([[], 0]);
  });

  it("in a browser without IndexedDB: it goes with the next page all the same", async () => {
    disk = memoryDisk();
    connected = false;
    await openTab().add("general", "hello");
    disk = memoryDisk();
    const outbox = openTab();
    await outbox.load();
    expect(states(outbox)).toEqual(["hello queued"]);
  });
});

describe("two tabs", () => {
  it("only the one that leads sends; both show the message", async () => {
    const [first, second] = [openTab("ada", tabs.open(true)), openTab("ada", tabs.open(false))];
    await second.add("general", "hello");
    await settled();
    expect([states(first), states(second), requests.length]).toEqual([["hello sending"], ["hello queued"], 1]);
    request(0).answer();
    await settled();
    expect([states(first), states(second)]).toEqual([["hello sent"], []]);
  });

  it("the other takes over when the first is gone", async () => {
    connected = false;
    const follower = tabs.open(false);
    const [first, second] = [openTab("ada", tabs.open(true)), openTab("ada", follower)];
    await first.add("general", "hello");
    await settled();
    first.close();
    connected = true;
    follower.lead();
    await settled();
    expect([states(second), sentTexts()]).toEqual([["hello sending"], ["hello"]]);
  });
});

describe("what is gone", () => {
  it("is not brought back by a look at the disk that began before", async () => {
    const outbox = openTab();
    await outbox.add("general", "hello");
    let read = (_items: Waiting[]) => {};
    const before = await disk.all("ada");
    disk.all = () => new Promise((resolve) => (read = resolve));
    const looking = outbox.load();
    await settled();
    request(0).answer();
    await settled();
    outbox.prune(() => true);
    read(before);
    await looking;
    expect(states(outbox)).toEqual([]);
  });
});

describe("a logout", () => {
  it("leaves nothing of this person, and everything of the others", async () => {
    connected = false;
    const outbox = openTab();
    await outbox.add("general", "mine");
    await openTab("grace").add("general", "hers");
    await outbox.wipe();
    expect([states(outbox), await onDisk(), await onDisk("grace")]).toEqual([[], [], ["hers"]]);
  });
});

describe("a browser without IndexedDB", () => {
  it("still sends", async () => {
    disk = await openOutboxDisk(null);
    expect(disk.durable).toBe(false);
    const outbox = openTab();
    await outbox.add("general", "hello");
    expect(sentTexts()).toEqual(["hello"]);
  });

  it("that refuses to open it falls back to memory", async () => {
    const refusing = { open: () => { throw new DOMException("private window"); } } as unknown as IDBFactory;
    expect((await openOutboxDisk(refusing)).durable).toBe(false);
  });

  it("whose disk is full still sends", async () => {
    disk = { ...memoryDisk(), put: () => Promise.reject(new DOMException("full", "QuotaExceededError")) };
    const outbox = openTab();
    await outbox.add("general", "hello");
    expect(sentTexts()).toEqual(["hello"]);
  });
});

describe("an author who was put out of the room", () => {
  it("is done with a message that was stored before", async () => {
    const outbox = openTab();
    await outbox.add("general", "one");
    await settled();
    request(0).answerUnseen();
    await settled();
    expect(states(outbox)).toEqual([]);
    expect(await onDisk()).toEqual([]);
    expect(requests).toHaveLength(1);
  });
});
