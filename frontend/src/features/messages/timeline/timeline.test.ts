import { describe, expect, it } from "vitest";
import { emptyLog, reduceLog, type RoomLog } from "@/features/messages/log/log";
import type { OutboxItem } from "@/features/messages/outbox/items";
import { message, page, range, sent } from "@/testing/messages";
import type { Entry, Message } from "@/types/protocol";
import { firstPlace, isPrepended, lastOwn, timelineOf, type Row } from "./timeline";

const MINUTE = 60_000;
const noon = new Date(2026, 10, 23, 12).getTime();

const logOf = (messages: Message[], notes: Entry[] = []): RoomLog => {
  const entries = [...messages.map(({ seq }) => sent(seq)), ...notes].sort((a, b) => a.seq - b.seq);
  return reduceLog(emptyLog, { type: "page", asked: 0, page: page(entries, { messages }) });
};
const said = (seq: number, minutes: number, part: Partial<Message> = {}) =>
  message(seq, { created_at_ms: noon + minutes * MINUTE, ...part });
const rowsOf = (log: RoomLog, part: Partial<Parameters<typeof timelineOf>[0]> = {}) =>
  timelineOf({ log, pending: [], me: "ada", newAfter: null, ...part });
const bodies = (rows: Row[]) => rows.filter(({ kind }) => kind !== "welcome");
const startsGroup = (rows: Row[]) => bodies(rows).map((row) => ("startsGroup" in row ? row.startsGroup : null));
const days = (rows: Row[]) => bodies(rows).map(({ day_ms }) => day_ms !== null);

const pendingItem = (part: Partial<OutboxItem> = {}): OutboxItem => ({
  user: "ada", room: "general", client_id: "p1", text: "soon", order: (noon + 10 * MINUTE) * 1000, state: "queued",
  ...part,
});

describe("messages of one author", () => {
  it("within five minutes of one another go on without a heading", () => {
    expect(startsGroup(rowsOf(logOf([said(1, 0), said(2, 4), said(3, 8)])))).toEqual([true, false, false]);
  });

  it("five minutes apart begin anew", () => {
    expect(startsGroup(rowsOf(logOf([said(1, 0), said(2, 5)])))).toEqual([true, true]);
  });

  it("with somebody else's between them begin anew", () => {
    expect(startsGroup(rowsOf(logOf([said(1, 0), said(2, 1, { author: "linus" }), said(3, 2)])))).toEqual([
      true, true, true,
    ]);
  });

  it("with somebody's coming or going between them begin anew", () => {
    const joined: Entry = { seq: 2, kind: "joined", user: "linus", name: "Linus", at_ms: noon + MINUTE };
    expect(startsGroup(rowsOf(logOf([said(1, 0), said(3, 2)], [joined])))).toEqual([true, null, true]);
  });

  it("that answer something begin anew", () => {
    expect(startsGroup(rowsOf(logOf([said(1, 0), said(2, 1, { reply_to: 1 })])))).toEqual([true, true]);
  });

  it("go on over a tombstone", () => {
    expect(startsGroup(rowsOf(logOf([said(1, 0), said(3, 1)], [{ seq: 2, kind: "tombstone" }])))).toEqual([
      true,
      false,
    ]);
  });
});

describe("days", () => {
  it("begin with a line, also the first", () => {
    expect(days(rowsOf(logOf([said(1, 0), said(2, 1), said(3, 24 * 60)])))).toEqual([true, false, true]);
  });

  it("at midnight part messages that would otherwise go on", () => {
    const late = said(1, 12 * 60 - 1);
    const early = said(2, 12 * 60 + 1);
    expect([days(rowsOf(logOf([late, early]))), startsGroup(rowsOf(logOf([late, early])))]).toEqual([
      [true, true],
      [true, true],
    ]);
  });
});

describe("the new line", () => {
  const firstUnread = (rows: Row[]) => bodies(rows).map((row) => row.firstUnread);

  it("stands before the first unread message, once", () => {
    expect(firstUnread(rowsOf(logOf([said(1, 0), said(2, 1), said(3, 2)]), { newAfter: 1 }))).toEqual([
      false, true, false,
    ]);
  });

  it("does not stand before my own", () => {
    const log = logOf([said(1, 0), said(2, 1, { author: "ada" }), said(3, 2)]);
    expect(firstUnread(rowsOf(log, { newAfter: 1 }))).toEqual([false, false, true]);
  });

  it("is not there when nothing is new", () => {
    expect(firstUnread(rowsOf(logOf([said(1, 0)]), { newAfter: 1 }))).toEqual([false]);
  });
});

describe("messages on their way", () => {
  it("stand at the end, in the order typed", () => {
    const rows = rowsOf(logOf([said(1, 0)]), { pending: [pendingItem(), pendingItem({ client_id: "p2" })] });
    expect(bodies(rows).map(({ kind }) => kind)).toEqual(["message", "pending", "pending"]);
  });

  it("are not shown twice once the log has them", () => {
    const log = logOf([said(1, 0), said(2, 10, { author: "ada", client_id: "p1" })]);
    const rows = rowsOf(log, { pending: [pendingItem({ state: "sending" })] });
    expect(bodies(rows).map(({ kind }) => kind)).toEqual(["message", "message"]);
  });

  it("keep their row when they become messages", () => {
    const [before] = bodies(rowsOf(logOf([]), { pending: [pendingItem()] }));
    const [after] = bodies(rowsOf(logOf([said(1, 10, { author: "ada", client_id: "p1" })])));
    expect(after?.key).toBe(before?.key);
  });

  it("do not stand in a window away from the newest", () => {
    const log = reduceLog(reduceLog(emptyLog, { type: "page", asked: 0, page: page(range(951, 999).map(sent)) }), {
      type: "around", page: page(range(100, 150).map(sent)),
    });
    expect(rowsOf(log, { pending: [pendingItem()] }).some(({ kind }) => kind === "pending")).toBe(false);
  });
});

describe("the beginning of a room", () => {
  it("is a welcome, also in an empty one", () => {
    expect(rowsOf(logOf([])).map(({ kind }) => kind)).toEqual(["welcome"]);
  });

  it("is not claimed while there are older messages; the oldest row waits for the one above it", () => {
    const log = reduceLog(emptyLog, { type: "page", asked: 0, page: page(range(51, 53).map(sent)) });
    expect(rowsOf(log).map(({ key }) => key)).toEqual(["grace:c52", "grace:c53"]);
  });

  it("brings no row another look when older ones come", () => {
    const top = reduceLog(emptyLog, { type: "page", asked: 0, page: page(range(51, 60).map(sent)) });
    const more = reduceLog(top, { type: "older", before: 51, page: page(range(1, 50).map(sent)) });
    expect(rowsOf(more).slice(-9)).toEqual(rowsOf(top));
    expect(isPrepended(rowsOf(top), rowsOf(more))).toBe(true);
  });
});

describe("the place to begin reading", () => {
  const log = logOf(range(1, 9).map((seq) => said(seq, seq)));

  it("is the first unread message", () => {
    const rows = rowsOf(log, { newAfter: 4 });
    expect(firstPlace(log, rows, null)).toEqual({ key: "new grace:c5", align: "start", index: 5 });
  });

  it("is the end when everything is read", () => {
    expect(firstPlace(log, rowsOf(log), null)).toEqual({ key: "room", align: "end" });
  });

  it("is the permalink's message, before anything else", () => {
    expect(firstPlace(log, rowsOf(log, { newAfter: 4 }), { seq: 7, visit: "v" })).toEqual({
      key: "7 v", align: "center", index: 7,
    });
  });

  it("is where one stood, for who comes back", () => {
    expect(firstPlace(log, rowsOf(log, { newAfter: 4 }), { seq: 7, visit: "v", top_px: 12 })).toEqual({
      key: "7 v", align: "start", index: 7, top_px: 12,
    });
  });

  it("is not known before the permalink's page is there", () => {
    expect(firstPlace(log, rowsOf(log), { seq: 70, visit: "v" })).toBeNull();
  });
});

it("my last message that can be edited is not a deleted one, and not somebody else's", () => {
  const log = logOf([
    said(1, 0, { author: "ada" }), said(2, 1), said(3, 2, { author: "ada", deleted: true, text: "" }), said(4, 3),
  ]);
  expect(lastOwn(log, "ada")?.seq).toBe(1);
});
