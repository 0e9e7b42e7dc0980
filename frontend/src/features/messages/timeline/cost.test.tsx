/** What a message costs the page, counted: what is drawn, how often, and what is laid out for it. */
import { act, cleanup, fireEvent, render, screen } from "@testing-library/react";
import { MemoryRouter } from "react-router";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { emptyLog, reduceLog, type RoomLog } from "@/features/messages/log/log";
import { message, page, range, sent } from "@/testing/messages";
import { MessageList } from "./MessageList";
import { timelineOf } from "./timeline";

const live = (log: RoomLog, seq: number): RoomLog =>
  reduceLog(log, { type: "live", generation: 1, entry: sent(seq), snapshot: message(seq, { author: "linus" }) });
const logOf = (many: number): RoomLog => reduceLog(emptyLog, {
  type: "page", asked: 0, page: page(range(1, many).map(sent), { messages: range(1, many).map((seq) => message(seq)) }),
});
const rowsOf = (log: RoomLog) => timelineOf({ log, pending: [], me: "ada", newAfter: null });

let observed: { tell(entries: object[]): void; targets: Set<Element> }[];
let [height_px, laidOut] = [0, 0];

/** A log of 400 px with rows of 40, measured when the test says so. */
beforeEach(() => {
  observed = [];
  Element.prototype.scrollTo = () => {};
  vi.spyOn(HTMLElement.prototype, "offsetParent", "get").mockReturnValue(document.body);
  vi.stubGlobal("ResizeObserver", class {
    targets = new Set<Element>();
    constructor(tell: (entries: object[]) => void) {
      observed.push({ tell, targets: this.targets });
    }
    observe = (target: Element) => void this.targets.add(target);
    unobserve = (target: Element) => void this.targets.delete(target);
    disconnect = () => this.targets.clear();
  });
});
afterEach(() => {
  vi.unstubAllGlobals();
  for (const name of ["clientHeight", "scrollHeight", "scrollTop"]) Reflect.deleteProperty(HTMLElement.prototype, name);
});

const isLog = (element: Element) => element.getAttribute("role") === "log";
const measured = () => act(() => {
  for (const { tell, targets } of observed) {
    const entries = [...targets].map((target) => (
      { target, contentRect: { width: 100, height: isLog(target) ? 400 : 40 } }
    ));
    tell(entries);
  }
});

/** A list at its end; `hear` shows one more message, `told` what comes of it: its measuring, and the scrolling. */
function list(many: number) {
  const drawn = vi.fn();
  const nothing = () => {};
  const renderRow = ({ key }: { key: string }) => {
    drawn(key);
    return <p>{key}</p>;
  };
  const element = (log: RoomLog) => (
    <MemoryRouter>
      <MessageList label="Messages" log={log} rows={rowsOf(log)} ready visit="v" target={null} renderRow={renderRow}
        loadOlder={nothing} loadNewer={nothing} toNewest={nothing} onSeen={nothing} onStand={nothing} />
    </MemoryRouter>
  );
  let log = logOf(many);
  height_px = 40 * many;
  const place = { top: 0 };
  const layout = {
    clientHeight: { configurable: true, get: () => 400 },
    scrollHeight: { configurable: true, get: () => ((laidOut += 1), height_px) },
    scrollTop: {
      configurable: true,
      get: () => ((laidOut += 1), place.top),
      set: (top: number) => void (place.top = Math.min(top, height_px - 400)),
    },
  };
  for (const [name, how] of Object.entries(layout)) Object.defineProperty(HTMLElement.prototype, name, how);
  const { rerender } = render(element(log));
  const scroller = screen.getByRole("log");
  return {
    drawn, place,
    rows: () => [...scroller.querySelectorAll("[data-row]")],
    hear() {
      log = live(log, log.cursor + 1);
      height_px += 40;
      rerender(element(log));
    },
    told() {
      measured();
      fireEvent.scroll(scroller);
    },
  };
}

/** A list of which the end is followed. */
function followed(many: number) {
  const made = list(many);
  made.told();
  for (const _ of range(1, 3)) {
    made.hear();
    made.told();
  }
  return made;
}

it("a message draws itself and the one that was the newest, in a log of 200 as in one of 60", () => {
  for (const many of [200, 60]) {
    const { hear, told, drawn, rows } = followed(many);
    expect(rows().length).toBeGreaterThan(40);
    drawn.mockClear();
    for (const _ of range(1, 10)) {
      hear();
      told();
    }
    expect(drawn.mock.calls.length, `of ${many}`).toBe(20);
    cleanup();
  }
});

it("a message is laid out when it is measured, and not before", () => {
  const { hear, told, place } = followed(200);
  laidOut = 0;
  hear();
  expect(laidOut).toBe(0);
  told();
  expect([laidOut > 0, place.top]).toEqual([true, height_px - 400]);
});

it("a message takes no row out that comes back when nobody says more", () => {
  vi.useFakeTimers();
  try {
    const { hear, told, rows } = followed(200);
    const before = rows().slice(-40);
    hear();
    told();
    expect(before.filter((row) => !row.isConnected)).toEqual([]);
    act(() => vi.advanceTimersByTime(1_000)); // the list takes its scrolling for ended
    expect(before.filter((row) => !row.isConnected)).toEqual([]);
  } finally {
    vi.useRealTimers();
  }
});

it("who moves up before the list has told where it stands is not pulled back", () => {
  const { place } = list(200);
  measured();
  fireEvent.wheel(screen.getByRole("log"));
  place.top -= 300;
  const stood = place.top;
  fireEvent.scroll(screen.getByRole("log"));
  measured();
  expect(place.top).toBe(stood);
});
