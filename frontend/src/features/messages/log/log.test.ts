import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { changed, message, page, range, sent, skipped } from "@/testing/messages";
import type { Entry, Message, Page } from "@/types/protocol";
import { emptyLog, hasOlder, isBehind, reduceLog, spanOf, type LogAction, type RoomLog } from "./log";

const play = (actions: LogAction[], from: RoomLog = emptyLog) => actions.reduce(reduceLog, from);
const newest = (...seqs: number[]): LogAction => ({ type: "page", asked: 0, page: page(seqs.map(sent)) });
const live = (seq: number, generation = 1): LogAction => ({
  type: "live", generation, entry: sent(seq), snapshot: message(seq, { generation }),
});
const edit = (entry: number, of: number, text = `edit ${entry}`): LogAction => ({
  type: "live", generation: 1, entry: changed(entry, of), snapshot: message(of, { rev: entry, text }),
});
const textOf = (log: RoomLog, seq: number) => log.snapshots.get(seq)?.text;

describe("live entries", () => {
  it("move the cursor when they follow it", () => {
    expect(play([newest(1, 2), live(3), live(4)]).cursor).toBe(4);
  });

  it("do not move the cursor over a hole, and wait for it", () => {
    const log = play([newest(1), live(3), live(4)]);
    expect(log.cursor).toBe(1);
    expect(isBehind(log)).toBe(true);
  });

  it("that waited are taken as soon as the hole is filled", () => {
    const log = play([newest(1), live(3), live(4), live(2)]);
    expect([log.cursor, log.ahead.size, isBehind(log)]).toEqual([4, 0, false]);
  });

  it("at or below the cursor are repeats", () => {
    const log = play([newest(1, 2, 3)]);
    expect(play([live(2), live(3)], log)).toEqual(log);
  });

  it("of a kind that only later servers know move the cursor, and show nothing", () => {
    const poll = { seq: 3, kind: "poll" as Entry["kind"], user: "ada", question: "When?" };
    const log = play([newest(1, 2), { type: "live", generation: 1, entry: poll }, live(4)]);
    const paged = play([newest(1, 2), { type: "page", asked: 2, page: page([poll, sent(4)]) }]);
    for (const each of [log, paged]) expect([each.cursor, each.notes.size, isBehind(each)]).toEqual([4, 0, false]);
  });

  it("that are repeats still bring a newer snapshot", () => {
    const log = play([newest(1, 2, 3), edit(2, 1, "late")]);
    expect([log.cursor, textOf(log, 1)]).toEqual([3, "late"]);
  });

  it("that are tombstones move the cursor", () => {
    const log = play([newest(1), { type: "live", generation: 1, entry: skipped(2) }, live(3)]);
    expect([log.cursor, log.snapshots.has(2)]).toEqual([3, false]);
  });

  it("before the first page are kept for it", () => {
    const log = play([live(3), newest(1, 2)]);
    expect(log.cursor).toBe(3);
  });

  it("before the first page, of another generation than the page, are dropped", () => {
    const log = play([live(3, 9), newest(1, 2)]);
    expect([log.cursor, log.ahead.size, log.snapshots.has(3)]).toEqual([2, 0, false]);
  });

  it("leave a note for memberships, not for messages", () => {
    const joined: Entry = { seq: 2, kind: "joined", user: "linus", name: "Linus" };
    const log = play([newest(1), { type: "live", generation: 1, entry: joined }]);
    expect([...log.notes.keys()]).toEqual([2]);
  });
});

describe("snapshots", () => {
  it("are kept by the highest rev, in whatever order they come", () => {
    const log = play([newest(1), edit(3, 1, "newer"), edit(2, 1, "older")]);
    expect([textOf(log, 1), log.cursor]).toEqual(["newer", 3]);
  });

  it("of messages not held yet are kept, so that an older page cannot bring the old text back", () => {
    const top = play([
      { type: "page", asked: 0, page: page([sent(9)], { messages: [message(9)] }) },
      edit(10, 2, "mended"),
    ]);
    const log = reduceLog(top, { type: "older", before: 9, page: page(range(1, 8).map(sent)) });
    expect(textOf(log, 2)).toBe("mended");
  });

  it("in an answer count before the push comes", () => {
    const log = play([newest(1), { type: "snapshot", message: message(1, { rev: 2, deleted: true, text: "" }) }]);
    expect([log.snapshots.get(1)?.deleted, log.cursor]).toEqual([true, 1]);
  });

  it("of another generation are refused", () => {
    const log = play([newest(1), { type: "snapshot", message: message(1, { rev: 50, generation: 2 }) }]);
    expect(textOf(log, 1)).toBe("text 1");
  });
});

describe("pages after the cursor", () => {
  const after = (asked: number, given: Page): LogAction => ({ type: "page", asked, page: given });

  it("move the cursor to their last entry", () => {
    expect(play([newest(1), after(1, page([sent(2), skipped(3), sent(4)]))]).cursor).toBe(4);
  });

  it("bring the snapshots of older messages that they changed", () => {
    const change = page([changed(2, 1)], { messages: [message(1, { rev: 2, text: "mended" })] });
    expect(textOf(play([newest(1), after(1, change)]), 1)).toBe("mended");
  });

  it("fill the hole before live entries that wait", () => {
    expect(play([newest(1), live(4), after(1, page([sent(2), sent(3)], { head: 4 }))]).cursor).toBe(4);
  });

  it("that arrive late change nothing that is known better", () => {
    const log = play([newest(1), live(2), edit(3, 2, "mended")]);
    expect(play([after(1, page([sent(2)], { head: 3 }))], log)).toEqual(log);
  });

  it("asked from beyond the cursor are ignored: something was dropped meanwhile", () => {
    expect(play([newest(1), after(5, page([sent(6)]))]).cursor).toBe(1);
  });

  it("that begin later than what is held start the room over: I was away, and what I missed is not mine to see", () => {
    const held = play([newest(1, 2), edit(3, 1)]);
    const back = page([{ seq: 7, kind: "joined", user: "ada", name: "Ada" }, sent(8)], { from: 7 });
    const dropped = reduceLog(held, after(3, back));
    expect([dropped.snapshots.size, isBehind(dropped)]).toEqual([0, true]);
    const again = reduceLog(dropped, { type: "page", asked: 0, page: back });
    expect([[...again.snapshots.keys()], again.cursor, hasOlder(again), isBehind(again)])
      .toEqual([[8], 8, false, false]);
  });

  it("that begin later start over also when I watched myself go and come back", () => {
    const gone: LogAction = { type: "live", generation: 1, entry: { seq: 2, kind: "removed", user: "ada" } };
    const joined: LogAction = { type: "live", generation: 1, entry: { seq: 3, kind: "joined", user: "ada" } };
    expect(play([newest(1), gone, joined, after(3, page([sent(4)], { from: 3 }))]).snapshots.size).toBe(0);
  });

  it("that end before the head leave the room behind", () => {
    expect(isBehind(play([newest(1), after(1, page([sent(2)], { head: 5, more: true }))]))).toBe(true);
  });

  it("do not pretend that an empty page reached the head", () => {
    const log = play([newest(1), after(1, page([], { head: 4 }))]);
    expect([log.cursor, isBehind(log)]).toEqual([1, true]);
  });

  it("with a gap drop what was held and take the newest page", () => {
    const gap = page(range(2001, 2050).map(sent), { gap: true });
    const log = play([newest(1, 2, 3), after(3, gap)]);
    expect([log.cursor, log.oldest, log.snapshots.has(2), hasOlder(log)]).toEqual([2050, 2001, false, true]);
  });

  it("with a gap keep live entries that came after the page", () => {
    const log = play([newest(1), live(2051), after(1, page(range(2001, 2050).map(sent), { gap: true }))]);
    expect([log.cursor, log.snapshots.has(2051)]).toEqual([2051, true]);
  });

  it("of another generation start over", () => {
    expect(play([newest(1, 2), after(2, page([sent(3)], { generation: 2 }))])).toEqual(emptyLog);
  });
});

describe("generations", () => {
  it("another one in a push drops everything but the push", () => {
    const log = play([newest(1, 2, 3), live(2, 2)]);
    expect([log.generation, log.cursor, [...log.ahead.keys()]]).toEqual([0, 0, [2]]);
  });

  it("another one in the heads drops everything", () => {
    expect(play([newest(1, 2), { type: "heads", generation: 2, head: 1 }])).toEqual(emptyLog);
  });

  it("then take the new newest page", () => {
    const log = play([
      newest(1, 2, 3),
      live(2, 2),
      { type: "page", asked: 0, page: page([sent(1)], { generation: 2, messages: [message(1, { generation: 2 })] }) },
    ]);
    expect([log.generation, log.cursor]).toEqual([2, 2]);
  });
});

describe("heads", () => {
  it("beyond the cursor mean behind; at or below it they do not", () => {
    const log = play([newest(1, 2)]);
    expect(isBehind(play([{ type: "heads", generation: 1, head: 3 }], log))).toBe(true);
    expect(isBehind(play([{ type: "heads", generation: 1, head: 2 }], log))).toBe(false);
  });
});

describe("the shown stretch", () => {
  const deep = play([{ type: "page", asked: 0, page: page(range(951, 1000).map(sent)) }]);

  it("grows upwards by older pages", () => {
    const log = reduceLog(deep, { type: "older", before: 951, page: page(range(901, 950).map(sent)) });
    expect(spanOf(log)).toEqual({ oldest: 901, newest: 1000 });
  });

  it("grows upwards by a sparse page as far as that says, whatever it shows", () => {
    const sparse = (part: Partial<Page>) => reduceLog(deep, { type: "older", before: 951, page: page([], part) });
    expect([sparse({ oldest: 401, more: true }).oldest, sparse({ oldest: 1 }).oldest]).toEqual([401, 1]);
    const one = reduceLog(deep, { type: "older", before: 951, page: page([sent(500)], { oldest: 401, more: true }) });
    expect([one.oldest, one.snapshots.has(500), hasOlder(one)]).toEqual([401, true, true]);
    expect([hasOlder(sparse({ oldest: 951, from: 951 })), sparse({ oldest: 951, more: true })]).toEqual([false, deep]);
  });

  it("ignores an older page that was asked for another stretch", () => {
    expect(reduceLog(deep, { type: "older", before: 700, page: page(range(650, 699).map(sent)) })).toBe(deep);
  });

  it("ends at the first entry for this member", () => {
    const log = reduceLog(deep, { type: "older", before: 951, page: page(range(940, 950).map(sent), { from: 940 }) });
    expect(hasOlder(log)).toBe(false);
  });

  it("ends where an empty page says so", () => {
    expect(hasOlder(reduceLog(deep, { type: "older", before: 951, page: page([]) }))).toBe(false);
  });

  it("refuses an older page that ends before a hole: what lies between would never be asked for", () => {
    expect(reduceLog(deep, { type: "older", before: 951, page: page(range(901, 940).map(sent), { more: true }) })).toBe(
      deep,
    );
    expect(reduceLog(deep, { type: "older", before: 951, page: page([], { more: true }) })).toBe(deep);
  });

  it("refuses a page around a number that has a hole in it", () => {
    expect(reduceLog(deep, { type: "around", page: page([sent(100), sent(102)]) })).toBe(deep);
  });

  it("stays where it is when what follows is still undecided", () => {
    const window = reduceLog(deep, { type: "around", page: page(range(100, 150).map(sent)) });
    expect(reduceLog(window, { type: "newer", after: 150, page: page([], { head: 1000 }) })).toBe(window);
  });

  const away = reduceLog(deep, { type: "around", page: page(range(100, 150).map(sent)) });

  it("may be a window around a permalink, while the cursor goes on", () => {
    const log = reduceLog(away, live(1001));
    expect([spanOf(log), log.cursor]).toEqual([{ oldest: 100, newest: 150 }, 1001]);
  });

  it("grows downwards in a window, and joins the newest stretch when they touch", () => {
    const grown = reduceLog(away, { type: "newer", after: 150, page: page(range(151, 350).map(sent)) });
    expect(spanOf(grown)).toEqual({ oldest: 100, newest: 350 });
    const met = reduceLog(grown, { type: "newer", after: 350, page: page(range(351, 960).map(sent)) });
    expect([met.window, spanOf(met)]).toEqual([null, { oldest: 100, newest: 1000 }]);
  });

  it("goes back to the newest on demand", () => {
    expect(spanOf(reduceLog(away, { type: "newest" }))).toEqual({ oldest: 951, newest: 1000 });
  });
});

/** A room's whole history, and what a client could be told of it. */
interface History {
  entries: Entry[];
  /** Per entry: the snapshot it brought. */
  snapshots: (Message | undefined)[];
}

const histories = fc
  .array(fc.record({ kind: fc.constantFrom("message", "message", "change", "tombstone"), pick: fc.nat(1000) }), {
    minLength: 1,
    maxLength: 60,
  })
  .map((steps): History => {
    const history: History = { entries: [], snapshots: [] };
    const known: Message[] = [];
    for (const [index, { kind, pick }] of steps.entries()) {
      const seq = index + 1;
      const target = known[pick % Math.max(1, known.length)];
      if (kind === "change" && target) {
        const snapshot = { ...target, rev: seq, text: `rev ${seq}`, deleted: pick % 5 === 0 };
        known[known.indexOf(target)] = snapshot;
        history.entries.push(changed(seq, target.seq));
        history.snapshots.push(snapshot);
      } else if (kind === "tombstone") {
        history.entries.push(skipped(seq));
        history.snapshots.push(undefined);
      } else {
        known.push(message(seq));
        history.entries.push(sent(seq));
        history.snapshots.push(message(seq));
      }
    }
    return history;
  });

function currentSnapshots({ snapshots }: History, upTo: number): Map<number, Message> {
  const current = new Map<number, Message>();
  for (const snapshot of snapshots.slice(0, upTo)) if (snapshot) current.set(snapshot.seq, snapshot);
  return current;
}

function pageAfter(history: History, asked: number, limit: number, known: number): Page {
  const entries = history.entries.slice(asked, Math.min(asked + limit, known));
  const current = currentSnapshots(history, known);
  const messages = entries.flatMap(({ seq, message: of }) => current.get(of ?? seq) ?? []);
  return { generation: 1, entries, messages, head: known, more: asked + limit < known, floor: 1, from: 1 };
}

describe("any delivery", () => {
  it("converges to the room as it is, whatever is lost, repeated or reordered before the pages are pulled", () => {
    const deliveries = fc.array(fc.tuple(fc.nat(1000), fc.constantFrom("push", "push", "page", "late page")), {
      maxLength: 150,
    });
    const property = fc.property(histories, fc.nat(1000), deliveries, (history, opened, steps) => {
      const total = history.entries.length;
      let known = 1 + (opened % total);
      let log = reduceLog(emptyLog, { type: "page", asked: 0, page: pageAfter(history, 0, 1000, known) });
      let late: { asked: number; page: Page } | null = null;
      const pull = () => ({ type: "page", asked: log.cursor, page: pageAfter(history, log.cursor, 7, known) }) as const;
      for (const [pick, kind] of steps) {
        known = Math.max(known, 1 + (pick % total));
        const before = log.cursor;
        if (kind === "push") {
          const index = pick % known;
          const entry = history.entries[index];
          if (entry) log = reduceLog(log, { type: "live", generation: 1, entry, snapshot: history.snapshots[index] });
        } else if (kind === "page") log = reduceLog(log, pull());
        else {
          if (late) log = reduceLog(log, { type: "page", ...late });
          late = { asked: log.cursor, page: pageAfter(history, log.cursor, 7, known) };
        }
        expect(log.cursor).toBeGreaterThanOrEqual(before);
        expect(log.cursor).toBeLessThanOrEqual(known);
      }
      known = total;
      while (log.cursor < total) log = reduceLog(log, pull());
      expect(log.snapshots).toEqual(currentSnapshots(history, total));
      expect(isBehind(log)).toBe(false);
    });
    fc.assert(property, { numRuns: 400 });
  });
});

describe("my own reactions", () => {
  const reacted = (rev: number, count: number, mine?: string[]): Message =>
    message(1, { rev, reactions: { "👍": count }, mine });
  const pushed = (rev: number, count: number): LogAction => ({
    type: "live", generation: 1, entry: changed(rev, 1), snapshot: reacted(rev, count),
  });
  const answered = (rev: number, count: number, mine: string[]): LogAction => ({
    type: "snapshot",
    message: reacted(rev, count, mine),
  });
  const elsewhere = (rev: number, mine: string[], generation = 1): LogAction => ({
    type: "mine", generation, seq: 1, rev, mine,
  });
  const seen = (log: RoomLog) => [
    log.snapshots.get(1)?.rev, log.snapshots.get(1)?.reactions?.["👍"], log.snapshots.get(1)?.mine,
  ];

  it("are kept when a push tells only how many there are", () => {
    expect(seen(play([newest(1), answered(2, 1, ["👍"]), pushed(2, 1), pushed(3, 2)]))).toEqual([3, 2, ["👍"]]);
  });

  it("come with the answer also when the push was quicker, or is further on", () => {
    expect(seen(play([newest(1), pushed(2, 1), answered(2, 1, ["👍"])]))).toEqual([2, 1, ["👍"]]);
    expect(seen(play([newest(1), pushed(2, 1), pushed(3, 2), answered(2, 1, ["👍"])]))).toEqual([3, 2, ["👍"]]);
  });

  it("come from another device, in whatever order", () => {
    expect(seen(play([newest(1), pushed(2, 1), elsewhere(2, ["👍"])]))).toEqual([2, 1, ["👍"]]);
    expect(seen(play([newest(1), elsewhere(2, ["👍"]), pushed(2, 1)]))).toEqual([2, 1, ["👍"]]);
    expect(seen(play([newest(1), pushed(2, 2), pushed(3, 1), elsewhere(3, []), elsewhere(2, ["👍"])]))).toEqual([
      3,
      1,
      [],
    ]);
  });

  it("of another generation, or of a message that is not held, are nothing", () => {
    const log = play([newest(1), pushed(2, 1)]);
    expect(play([elsewhere(3, ["👍"], 2), { type: "mine", generation: 1, seq: 9, rev: 3, mine: ["👍"] }], log)).toBe(
      log,
    );
  });

  it("are none where there are none at all", () => {
    expect(seen(play([newest(1), answered(2, 1, ["👍"]), edit(3, 1), pushed(4, 1)]))).toEqual([4, 1, []]);
  });

  it("end alike in whatever order pushes, answers and tellings come", () => {
    const told = [
      pushed(2, 1), answered(2, 1, ["👍"]), pushed(3, 2), elsewhere(4, []), pushed(4, 1), answered(4, 1, []),
    ];
    const orders = fc.shuffledSubarray(told, { minLength: told.length });
    fc.assert(fc.property(orders, (order) => {
      expect(seen(play([newest(1), ...order]))).toEqual([4, 1, []]);
    }));
  });
});
