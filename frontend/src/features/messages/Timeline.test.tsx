import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { MemoryRouter } from "react-router";
import { beforeEach, expect, it, vi } from "vitest";
import { createStore } from "@/lib/store";
import { message, page, sent } from "@/testing/messages";
import type { Message } from "@/types/protocol";
import { emptyLog, reduceLog, type RoomLog } from "./log";
import type { Wishes } from "./reactions";
import { Timeline } from "./Timeline";

const room = { room: "general", name: "general", kind: "public", generation: 1, head: 3, read: 3, unread: 0 } as const;

const logOf = (...messages: Message[]): RoomLog =>
  reduceLog(emptyLog, { type: "page", asked: 0, page: page(messages.map(({ seq }) => sent(seq)), { messages }) });

// Without a layout the list shows the row alone that it keeps for the keyboard, and hides it until it is measured.
const rowOfKeyboard = () => screen.getByRole("article", { hidden: true });
beforeEach(() => void (Element.prototype.scrollTo = () => {}));

function show(log: RoomLog) {
  const deeds = {
    edit: vi.fn(), remove: vi.fn(), react: vi.fn(), reply: vi.fn(), jump: vi.fn(), setEditing: vi.fn(), who: vi.fn(),
    wishes: createStore<Wishes>({}),
  };
  const did = { retry: vi.fn(), remove: vi.fn(), load: vi.fn(), onSeen: vi.fn() };
  const me = { username: "ada", name: "Ada" };
  const element = (now: RoomLog) => (
    <MemoryRouter>
      <Timeline room={room} held={{ log: now, failure: null, trouble: null, loading: null }} pending={[]} me={me} newAfter={null} ready
        target={null} editing={null} deeds={deeds} {...did} />
    </MemoryRouter>
  );
  const { rerender } = render(element(log));
  return { load: did.load, show: (now: RoomLog) => rerender(element(now)) };
}

it("a room without a single message is shown, and has no row for the keyboard", () => {
  show(logOf());
  expect(screen.getByRole("log").querySelector("article")).toBeNull();
});

it("a room that does not fill the screen asks for what is older, and again for as long as it does not", () => {
  const older = (log: RoomLog, before: number, seq: number) =>
    reduceLog(log, { type: "older", before, page: page([], { messages: [message(seq)], oldest: seq, more: true }) });
  const newest = reduceLog(emptyLog, { type: "page", asked: 0, page: page([sent(3_000)], { more: true }) });
  const { load, show: goOn } = show(newest);
  expect(load).toHaveBeenCalledWith("older");
  load.mockClear();
  goOn(older(newest, 3_000, 2_000));
  expect(load).toHaveBeenCalledWith("older");
});

it("a message that cannot be shown says so, and the rest of the page is there", () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  show(logOf(message(1), message(2, { created_at_ms: 1e20 })));
  expect(rowOfKeyboard().textContent).toBe("This message can’t be shown.");
});

it("the newest message is where the keyboard comes in, and the arrows go on from there", async () => {
  show(logOf(message(1), message(2), message(3)));
  expect([rowOfKeyboard().dataset.seq, rowOfKeyboard().tabIndex]).toEqual(["3", 0]);
  rowOfKeyboard().focus();
  await userEvent.keyboard("{ArrowUp}");
  await vi.waitFor(() => expect((document.activeElement as HTMLElement).dataset.seq).toBe("2"));
});
