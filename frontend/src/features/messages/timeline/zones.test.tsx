import { act, render, screen } from "@testing-library/react";
import type { ComponentProps } from "react";
import { MemoryRouter } from "react-router";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { emptyLog, reduceLog } from "@/features/messages/log/log";
import { createNames } from "@/features/messages/log/names";
import { createStore } from "@/lib/store";
import { message, page, sent } from "@/testing/messages";
import { Timeline } from "./Timeline";

const env = (globalThis as unknown as { process: { env: { TZ?: string } } }).process.env;
const before = env.TZ;

beforeEach(() => {
  Element.prototype.scrollTo = () => {};
  env.TZ = "Europe/Berlin";
  vi.useFakeTimers({ now: Date.parse("2026-11-01T16:30:00Z"), toFake: ["setInterval", "clearInterval", "Date"] });
});
afterEach(() => {
  vi.useRealTimers();
  if (before === undefined) delete env.TZ;
  else env.TZ = before;
});

/** The newest of two messages, of which this DOM draws that one alone. */
function show() {
  const at = (time: string) => Date.parse(`2026-11-01T${time}Z`);
  const messages = [message(1, { created_at_ms: at("14:00") }), message(2, { created_at_ms: at("16:00") })];
  const log = reduceLog(emptyLog, { type: "page", asked: 0, page: page([sent(1), sent(2)], { messages }) });
  const nothing = () => {};
  const props = {
    room: { room: "general", name: "General", kind: "public", generation: 1, head: 2, read: 2, unread: 0 },
    held: { log, failure: null, trouble: null }, pending: [], me: { username: "ada", name: "Ada" }, newAfter: null,
    ready: true, names: createNames(), target: null, editing: null, handlers: { wishes: createStore({}) },
    retry: nothing, remove: nothing, load: nothing, onSeen: nothing, onStand: nothing,
  };
  render(
    <MemoryRouter><Timeline {...(props as unknown as ComponentProps<typeof Timeline>)} /></MemoryRouter>,
  );
}

const times = () =>
  [...document.querySelectorAll("time")].map(({ textContent }) => textContent?.replace("\u202f", " "));

it.each([
  ["within a minute", () => vi.advanceTimersByTime(60_000)],
  ["as soon as somebody comes back to the page", () => document.dispatchEvent(new Event("visibilitychange"))],
])("times and days are those of where one has come to, %s", (_, later) => {
  show();
  expect(screen.getByRole("article", { hidden: true })).toBeTruthy();
  act(() => vi.advanceTimersByTime(60_000));
  expect(times()).toEqual(["5:00 PM"]);
  env.TZ = "Asia/Tokyo";
  act(() => void later());
  expect(times()).toEqual(["Today", "1:00 AM"]);
});
