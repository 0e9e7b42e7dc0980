// @vitest-environment node
import { beforeEach, expect, it } from "vitest";
import { Failure, offline, timedOut } from "@/lib/failure";
import { message } from "@/testing/messages";
import type { Ask } from "@/types/protocol";
import { createChanges, type Changes } from "./changes";

const hello = message(1, { text: "hello" });
let asked: { event: string; client_id: string; text?: string }[];
let refusals: Failure[];
let changes: Changes;

beforeEach(() => {
  asked = [];
  refusals = [];
  const ask = async (event: string, payload: { client_id: string; text?: string }) => {
    asked.push({ event, client_id: payload.client_id, text: payload.text });
    const refusal = refusals.shift();
    if (refusal) throw refusal;
    return {
      message: { ...hello, rev: asked.length + 1, text: payload.text ?? "", deleted: payload.text === undefined },
    };
  };
  changes = createChanges({ ask: ask as unknown as Ask, snapshot: () => {} });
});

const ids = () => new Set(asked.map(({ client_id }) => client_id)).size;

it("a change that timed out is asked for again under the same client_id", async () => {
  refusals = [timedOut(), timedOut()];
  await changes.edit(hello, "hello there");
  expect([asked.length, ids()]).toEqual([3, 1]);
});

it.each([
  ["too slow", [timedOut(), timedOut(), timedOut()]],
  ["away", [offline()]],
  ["busy", [new Failure({ code: "unavailable", message: "Later.", retry: true })]],
])("an edit that is saved again after the server was %s is still the same request", async (_, trouble) => {
  refusals = [...trouble];
  await expect(changes.edit(hello, "hello there")).rejects.toThrow();
  await changes.edit(hello, "hello there");
  expect([asked.length, ids()]).toEqual([trouble.length + 1, 1]);
});

it("a deletion that is tried again is still the same request", async () => {
  refusals = [offline()];
  await expect(changes.remove(hello)).rejects.toThrow();
  await changes.remove(hello);
  expect([asked.map(({ event }) => event), ids()]).toEqual([["message:delete", "message:delete"], 1]);
});

it("other words are another request, and so is a deletion", async () => {
  refusals = [offline(), offline()];
  await expect(changes.edit(hello, "hello there")).rejects.toThrow();
  await expect(changes.edit(hello, "hello you")).rejects.toThrow();
  await changes.remove(hello);
  expect(ids()).toBe(3);
});

it("the same words are another request when the message has changed since, or the first one was answered", async () => {
  refusals = [offline()];
  await expect(changes.edit(hello, "hello there")).rejects.toThrow();
  const changed = { ...hello, rev: 5, text: "by another device" };
  await changes.edit(changed, "hello there");
  await changes.edit(changed, "hello there");
  expect(ids()).toBe(3);
});

it("words in between are not forgotten: going back to the first ones is a request of its own", async () => {
  refusals = [offline()];
  await expect(changes.edit(hello, "one")).rejects.toThrow();
  await changes.edit(hello, "two");
  await changes.edit(hello, "one");
  expect(ids()).toBe(3);
});
