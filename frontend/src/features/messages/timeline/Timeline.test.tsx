import { act, cleanup, fireEvent, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { MemoryRouter } from "react-router";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { emptyLog, reduceLog, type RoomLog } from "@/features/messages/log/log";
import { createNames } from "@/features/messages/log/names";
import type { Wishes } from "@/features/messages/reactions/wishes";
import { createStore } from "@/lib/store";
import { message, page, range, sent } from "@/testing/messages";
import type { Message } from "@/types/protocol";
import type { Target } from "./timeline";
import { Timeline } from "./Timeline";

const room = { room: "general", name: "general", kind: "public", generation: 1, head: 3, read: 3, unread: 0 } as const;

const logOf = (...messages: Message[]): RoomLog =>
  reduceLog(emptyLog, { type: "page", asked: 0, page: page(messages.map(({ seq }) => sent(seq)), { messages }) });

// Without a layout the list shows the row alone that it keeps for the keyboard, and hides it until it is measured.
const rowOfKeyboard = () => screen.getByRole("article", { hidden: true });
beforeEach(() => void (Element.prototype.scrollTo = () => {}));
afterEach(() => vi.unstubAllGlobals());

const WITHIN = { timeout: 30_000 };
const drawn = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));

/**
 * As high as a browser makes them: a log of 400 px, rows of 40, each told to whoever observes it when it is measured.
 */
function withLayout(after_ms = 0) {
  const rect = (top: number, height: number) =>
    ({ top, height, bottom: top + height, left: 0, right: 100, width: 100 }) as DOMRect;
  const rectOf = (element: Element) => {
    const row = element.querySelector<HTMLElement>("[data-row]")?.dataset.row ?? (element as HTMLElement).dataset?.row;
    return element.getAttribute("role") === "log" || row === undefined ? rect(0, 400) : rect(40 * Number(row), 40);
  };
  vi.spyOn(HTMLElement.prototype, "offsetParent", "get").mockReturnValue(document.body);
  vi.spyOn(Element.prototype, "getBoundingClientRect").mockImplementation(function (this: Element) {
    return rectOf(this);
  });
  vi.stubGlobal(
    "ResizeObserver",
    class {
      constructor(private tell: (entries: object[]) => void) {}
      observe = (target: Element) =>
        void setTimeout(() => act(() => this.tell([{ target, contentRect: rectOf(target) }])), after_ms);
      unobserve() {}
      disconnect() {}
    },
  );
}

function show(log: RoomLog, where: { target?: Target; newAfter?: number } = {}) {
  const handlers = {
    edit: vi.fn(), remove: vi.fn(), react: vi.fn(), reply: vi.fn(), jump: vi.fn(), copyLink: vi.fn(),
    setEditing: vi.fn(), find: vi.fn(), kept: vi.fn(), keep: vi.fn(), who: vi.fn(),
    wishes: createStore<Wishes>({}),
  };
  const did = { retry: vi.fn(), remove: vi.fn(), load: vi.fn(), onSeen: vi.fn(), onStand: vi.fn() };
  const me = { username: "ada", name: "Ada" };
  const element = (now: RoomLog, visit = "v") => (
    <MemoryRouter>
      <Timeline
        room={room}
        held={{ log: now, failure: null, trouble: null, loading: null }}
        pending={[]}
        me={me}
        ready
        names={createNames()}
        newAfter={where.newAfter ?? null}
        visit={visit}
        target={where.target ?? null}
        linked={where.target?.seq ?? null}
        editing={null}
        handlers={handlers}
        {...did}
      />
    </MemoryRouter>
  );
  const { rerender } = render(element(log));
  return { ...did, show: (now: RoomLog, visit?: string) => rerender(element(now, visit)) };
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

it("nothing was seen before the list has its place, however long the rows stand there", async () => {
  withLayout();
  const log = logOf(message(51), message(52), message(53));
  const { onSeen, show: goOn } = show(log, { target: { seq: 5, visit: "link" } });
  await vi.waitFor(() => expect(screen.getAllByRole("article").length).toBe(2));
  await drawn();
  expect(onSeen).not.toHaveBeenCalled();
  goOn(reduceLog(log, { type: "around", page: page([sent(3), sent(4), sent(5)], { head: 53 }) }));
  await vi.waitFor(() => expect(onSeen).toHaveBeenCalledWith({ oldest: 4, newest: 5 }));
  expect(onSeen.mock.calls.filter(([seen]) => seen.newest !== 5)).toEqual([]);
});

it("whom the list takes to what seems its end has read nothing by that; who goes there has", () => {
  vi.useFakeTimers(); // however slow the machine is, the list goes on finding its place
  try {
    const { onSeen } = show(logOf(...range(1, 9).map((seq) => message(seq))), { newAfter: 4 });
    const list = screen.getByRole("log");
    const stands = (top: number, height: number) => {
      Object.defineProperties(list, {
        scrollHeight: { value: height, configurable: true },
        clientHeight: { value: 400, configurable: true },
      });
      list.scrollTop = top;
      fireEvent.scroll(list);
    };
    stands(100, 1_000);
    stands(100, 500); // rows that are not measured yet have no height
    expect(onSeen).not.toHaveBeenCalledWith("end");
    stands(100, 1_000);
    fireEvent.wheel(list);
    stands(600, 1_000);
    expect(onSeen).toHaveBeenCalledWith("end");
  } finally {
    vi.useRealTimers();
  }
});

it("who asks for the end while the list is on its way elsewhere stays there", async () => {
  vi.useFakeTimers();
  try {
    withLayout(100);
    const sent: number[] = [];
    Element.prototype.scrollTo = (to?: number | ScrollToOptions) => void sent.push((to as ScrollToOptions).top ?? 0);
    show(logOf(...range(1, 60).map((seq) => message(seq))), { newAfter: 20 });
    const list = screen.getByRole("log");
    Object.defineProperties(list, { scrollHeight: { value: 2_440 }, clientHeight: { value: 400 } });
    await act(() => vi.advanceTimersByTimeAsync(50));
    const [place = 0] = sent.splice(0);
    fireEvent.click(screen.getByRole("button", { name: /To the newest|New messages/ }));
    await act(() => vi.advanceTimersByTimeAsync(5_000)); // its rows are measured, and it goes where it was to go
    expect(list.scrollTop).toBe(2_440);
    expect([place > 0, sent.filter((top) => top <= place)]).toEqual([true, []]);
  } finally {
    vi.useRealTimers();
  }
});

it("tells where one stands, and brings who comes back there, to the pixel", async () => {
  withLayout();
  const log = logOf(...range(1, 60).map((seq) => message(seq)));
  const { onStand } = show(log, { target: { seq: 30, visit: "link" } });
  await vi.waitFor(() => expect(onStand).toHaveBeenCalledWith({ seq: 1, top_px: 40 }), WITHIN);
  cleanup();
  const sent: number[] = [];
  Element.prototype.scrollTo = (to?: number | ScrollToOptions) => void sent.push((to as ScrollToOptions).top ?? 0);
  show(log, { target: { seq: 30, visit: "link", top_px: 17 } });
  const row = 30; // below the welcome
  await vi.waitFor(() => expect(sent.at(-1)).toBe(40 * row - 17), WITHIN);
});

it("a further visit without a target leads to the end", async () => {
  withLayout();
  const log = logOf(...range(1, 60).map((seq) => message(seq)));
  const { show: goOn } = show(log, { newAfter: 20 });
  const list = screen.getByRole("log");
  Object.defineProperties(list, { scrollHeight: { value: 2_440 }, clientHeight: { value: 400 } });
  await drawn();
  expect(list.scrollTop).not.toBe(2_440);
  goOn(log, "another");
  await vi.waitFor(() => expect(list.scrollTop).toBe(2_440), WITHIN);
});
