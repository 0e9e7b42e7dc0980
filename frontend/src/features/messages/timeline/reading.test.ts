// @vitest-environment node
import { describe, expect, it } from "vitest";
import { emptyLog, reduceLog, type RoomLog } from "@/features/messages/log/log";
import { changed, message, page, range, sent, skipped } from "@/testing/messages";
import type { Message } from "@/types/protocol";
import { isCounted, readOn } from "./reading";

const logOf = (to: number, parts: Record<number, Partial<Message>> = {}, from = 1): RoomLog =>
  reduceLog(emptyLog, {
    type: "page",
    asked: 0,
    page: page(range(from, to).map(sent), {
      messages: range(from, to).map((seq) => message(seq, parts[seq])),
      more: from > 1,
    }),
  });
const sixty = logOf(160);

describe("what was read", () => {
  it("is what stood on the screen, not what the room has", () => {
    expect(readOn(sixty, "ada", 100, { oldest: 99, newest: 112 })).toEqual({ read: 112, passed: 12 });
  });

  it("does not go on past what was jumped over", () => {
    expect(readOn(sixty, "ada", 100, { oldest: 150, newest: 160 })).toEqual({ read: 100, passed: 0 });
    expect(readOn(sixty, "ada", 100, { oldest: 102, newest: 110 })).toEqual({ read: 100, passed: 0 });
  });

  it("never goes back", () => {
    expect(readOn(sixty, "ada", 100, { oldest: 20, newest: 40 })).toEqual({ read: 100, passed: 0 });
  });

  it("is everything when the person goes to the end", () => {
    expect(readOn(sixty, "ada", 100, "end")).toEqual({ read: 160, passed: 60 });
  });

  it("takes along what there is nothing of to read", () => {
    const log = logOf(110, { 103: { author: "ada" }, 104: { deleted: true, text: "" } });
    expect(readOn(log, "ada", 100, { oldest: 101, newest: 102 })).toEqual({ read: 104, passed: 2 });
    const end = reduceLog(emptyLog, {
      type: "page", asked: 0, page: page([sent(1), skipped(2), changed(3, 1), skipped(4)]),
    });
    expect(readOn(end, "ada", 0, { oldest: 1, newest: 1 })).toEqual({ read: 4, passed: 1 });
    expect(readOn(end, "ada", 0, { oldest: 0, newest: 0 })).toEqual({ read: 0, passed: 0 });
  });

  it("begins where the room begins for me", () => {
    const late = reduceLog(emptyLog, { type: "page", asked: 0, page: page(range(50, 60).map(sent), { from: 50 }) });
    expect(readOn(late, "ada", 0, { oldest: 50, newest: 52 })).toEqual({ read: 52, passed: 3 });
  });

  it("is nothing new while it is not known what comes first", () => {
    const newest = logOf(160, {}, 121);
    expect(readOn(newest, "ada", 100, { oldest: 121, newest: 130 })).toEqual({ read: 100, passed: 0 });
    expect([isCounted(newest, 100), isCounted(sixty, 100)]).toEqual([false, true]);
    expect(readOn(emptyLog, "ada", 0, "end")).toEqual({ read: 0, passed: 0 });
  });

  it("in a stretch away from the newest is what stood on the screen there, and has no end", () => {
    const away = reduceLog(logOf(400, {}, 351), {
      type: "around",
      page: page(range(100, 160).map(sent), { head: 400 }),
    });
    expect(readOn(away, "ada", 100, { oldest: 101, newest: 109 }).read).toBe(109);
    expect(readOn(away, "ada", 100, "end").read).toBe(100);
  });
});
