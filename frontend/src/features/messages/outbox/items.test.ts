// @vitest-environment node
import { describe, expect, it } from "vitest";
import { Failure } from "@/lib/failure";
import { message } from "@/testing/messages";
import type { Waiting } from "./disk";
import { nextIn, overdueAt_ms, reduceOutbox, roomsOf, verdictOn, type OutboxAction, type OutboxItems } from "./items";

const failed = { code: "text_too_long", message: "A message has at most 4,000 characters." };
const typed = (client_id: string, order: number, part: Partial<Waiting> = {}): Waiting => ({
  user: "ada", room: "general", client_id, text: client_id, order, ...part,
});
const after = (...actions: OutboxAction[]) => actions.reduce<OutboxItems>(reduceOutbox, []);
const states = (items: OutboxItems) => items.map(({ client_id, state }) => `${client_id} ${state}`);
const added = (...waiting: Waiting[]): OutboxAction => ({ type: "added", waiting });
const stored = (client_id: string): OutboxAction => ({
  type: "sent",
  message: message(7, { author: "ada", client_id }),
});

describe("what is on its way", () => {
  it("stands in the order typed, wherever it was found", () => {
    expect(states(after(added(typed("b", 2)), added(typed("c", 3, { failed }), typed("a", 1))))).toEqual([
      "a queued",
      "b queued",
      "c failed",
    ]);
  });

  it("goes, waits again, is refused, is stored", () => {
    const on = after(added(typed("a", 1), typed("b", 2)), { type: "sending", client_id: "a" });
    expect(states(on)).toEqual(["a sending", "b queued"]);
    expect(states(reduceOutbox(on, { type: "queued", client_id: "a" }))).toEqual(["a queued", "b queued"]);
    const refused = reduceOutbox(on, { type: "refused", client_id: "a", failed });
    expect([states(refused), refused[0]?.failed]).toEqual([["a failed", "b queued"], failed]);
    const [item] = reduceOutbox(refused, stored("a"));
    expect([item?.state, item?.failed, item?.message?.seq]).toEqual(["sent", undefined, 7]);
  });

  it("that another tab has sent or deleted goes, unless it is known here to be under way or stored", () => {
    const all = after(
      added(typed("a", 1), typed("b", 2), typed("c", 3)),
      { type: "sending", client_id: "b" },
      stored("c"),
    );
    const left = ["a", "b", "c"].reduce((items, client_id) => reduceOutbox(items, { type: "lost", client_id }), all);
    expect(states(left)).toEqual(["b sending", "c sent"]);
  });

  it("waits or is refused as the disk has it from another tab", () => {
    const all = after(added(typed("a", 1, { failed }), typed("b", 2), typed("c", 3)), {
      type: "sending",
      client_id: "c",
    });
    const found = [typed("a", 1), typed("b", 2, { failed }), typed("c", 3, { failed }), typed("d", 4)];
    expect(states(reduceOutbox(all, { type: "found", waiting: found }))).toEqual(["a queued", "b failed", "c sending"]);
  });

  it("stays when it is stored, until the log shows it", () => {
    const all = after(added(typed("a", 1), typed("b", 2)), stored("a"));
    expect(states(reduceOutbox(all, { type: "shown", isShown: () => false }))).toEqual(["a sent", "b queued"]);
    expect(states(reduceOutbox(all, { type: "shown", isShown: () => true }))).toEqual(["b queued"]);
  });

  it("is left by what is forgotten, and by all at a logout", () => {
    const all = after(added(typed("a", 1), typed("b", 2)));
    expect(states(reduceOutbox(all, { type: "forgotten", client_id: "a" }))).toEqual(["b queued"]);
    expect(reduceOutbox(all, { type: "wiped" })).toEqual([]);
  });
});

describe("what goes next", () => {
  const all = after(
    added(typed("a", 1_000, { failed }), typed("b", 2_000), typed("c", 3_000), typed("d", 4_000, { room: "design" })),
    stored("b"),
  );

  it("is the first of its room that waits and may go", () => {
    expect([nextIn(all, "general", () => true)?.client_id, nextIn(all, "design", () => true)?.client_id]).toEqual([
      "c",
      "d",
    ]);
    expect(nextIn(all, "general", ({ client_id }) => client_id !== "c")).toBeUndefined();
    expect([...roomsOf(all)]).toEqual(["general", "design"]);
  });

  it("is overdue so long after it was typed; what is stored or refused is not", () => {
    expect([overdueAt_ms(all, 4_000), overdueAt_ms(after(added(typed("a", 1, { failed }))), 4_000)]).toEqual([
      4_003,
      Infinity,
    ]);
  });
});

it.each([
  ["offline", true, false, "wait"],
  ["unauthenticated", false, false, "wait"],
  ["user_mismatch", false, false, "wait"],
  ["cursor_invalid", false, false, "from zero"],
  ["cursor_invalid", false, true, "give up"],
  ["rate_limited", true, false, "rest"],
  ["timed_out", true, false, "rest"],
  ["text_too_long", false, false, "give up"],
] as const)("a message refused with %s (retry %s, asked from zero %s): %s", (code, retry, askedFromZero, verdict) => {
  expect(verdictOn(new Failure({ code, message: "No.", retry }), askedFromZero)).toBe(verdict);
});
