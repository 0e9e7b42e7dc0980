/** What the page tells of itself, and to whom: each is wired to what it tells of. */
import { act, render, renderHook, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { emptyLog, reduceLog } from "@/features/messages/log/log";
import { emptyRoomList } from "@/features/rooms/roomList";
import type { ConnectionState, Line, Listeners } from "@/lib/connection";
import { Failure, offline } from "@/lib/failure";
import { createStore } from "@/lib/store";
import { isReached, useTrouble } from "@/lib/trouble";
import { message, page, range, sent } from "@/testing/messages";
import type { Message, Room } from "@/types/protocol";
import Announcer from "./Announcer";
import type { Client } from "./client";
import { ConnectionLine } from "./ConnectionLine";
import Unloaded from "./Unloaded";
import { useReading } from "./useReading";
import { useSheet } from "./useSheet";
import { useTitle } from "./useTitle";

const general: Room = {
  room: "general", name: "General", kind: "public", generation: 1, head: 160, read: 100, unread: 60,
};

function parts() {
  const list = createStore({
    ...emptyRoomList,
    loaded: true,
    rooms: new Map([
      ["general", general],
      ["design", { ...general, room: "design", name: "Design" }],
    ]),
  });
  const hearers = new Set<(message: Message) => void>();
  return {
    user: { username: "ada", name: "Ada" },
    connection: {
      state: createStore<ConnectionState>({ phase: "connected" }), line: createStore<Line>("good"), tryNow: vi.fn(),
      listen({ "message:sent": hear = () => {} }: Listeners) {
        hearers.add(hear);
        return () => hearers.delete(hear);
      },
    },
    outbox: { keeps: createStore(true), late: createStore(false) },
    rooms: { list, shown: list, failure: createStore<Failure | null>(null), seen: vi.fn() },
    followers: { rooms: createStore(new Map()) },
    hearers,
  };
}

let told: ReturnType<typeof parts>;
let client: Client;

beforeEach(() => {
  told = parts();
  client = told as unknown as Client;
});

describe("the line over the messages", () => {
  it("says that this device keeps nothing, for as long as that is so", () => {
    render(<ConnectionLine client={client} />);
    expect(screen.queryByRole("status")).toBeNull();
    act(() => told.outbox.keeps.set(false));
    expect(screen.getByRole("status").textContent).toContain("This device keeps nothing at the moment");
    act(() => told.outbox.keeps.set(true));
    expect(screen.queryByRole("status")).toBeNull();
  });

  it.each([
    ["the line", () => told.connection.line.set("slow")],
    ["an answer", () => told.outbox.late.set(true)],
  ])("says that %s is slow", (_what, become) => {
    render(<ConnectionLine client={client} />);
    act(become);
    expect(screen.getByRole("status").textContent).toContain("slow to answer");
  });
});

describe("a room that has nothing to show", () => {
  const show = (failure: Failure | null, trouble: Failure | null = null) => {
    const again = vi.fn();
    render(<Unloaded connection={client.connection} failure={failure} trouble={trouble} again={again} />);
    return again;
  };
  const refusal = new Failure({ code: "internal", message: "Something went wrong.", retry: false });

  it("says why it cannot be loaded, and offers another try", async () => {
    const again = show(refusal);
    expect(screen.getByRole("alert").textContent).toBe("Something went wrong.");
    await userEvent.click(screen.getByRole("button", { name: "Try again" }));
    expect(again).toHaveBeenCalledTimes(1);
  });

  it("says what went wrong while the page goes on trying", () => {
    show(null, refusal);
    expect(screen.getByRole("status").textContent).toBe("Something went wrong. This page goes on trying.");
  });

  it("says after two seconds that nobody has answered yet", () => {
    vi.useFakeTimers();
    try {
      show(null);
      expect(screen.queryByRole("status")).toBeNull();
      act(() => vi.advanceTimersByTime(2_000));
      expect(screen.getByRole("status").textContent).toContain("has not answered yet");
    } finally {
      vi.useRealTimers();
    }
  });
});

it("a red sentence about the line goes when the server is reached, any other one stays", () => {
  const { result } = renderHook(useTrouble);
  act(() => result.current.report(offline()));
  expect(result.current.said).toContain("cannot be reached");
  act(isReached);
  expect(result.current.said).toBe("");
  act(() => result.current.report(new Failure({ code: "forbidden", message: "Not yours.", retry: false })));
  act(isReached);
  expect(result.current.said).toBe("Not yours.");
});

it("the title says first that something of mine has not gone out", () => {
  const { rerender } = renderHook(({ unsent }) => useTitle("General", new Map([["general", general]]), unsent), {
    initialProps: { unsent: true },
  });
  expect(document.title).toBe("Not sent · (60) General · Parley");
  rerender({ unsent: false });
  expect(document.title).toBe("(60) General · Parley");
});

it("what is seen of a room is read, and nothing that was not", () => {
  const log = reduceLog(emptyLog, { type: "page", asked: 0, page: page(range(1, 160).map(sent)) });
  const { result } = renderHook(() => useReading(client, general, log, false));
  expect(told.rooms.seen).not.toHaveBeenCalled();
  result.current.onSeen({ oldest: 99, newest: 112 });
  result.current.onSeen("end");
  expect(told.rooms.seen.mock.calls).toEqual([["general", 112, 12], ["general", 160, 60]]);
});

describe("the sheet of rooms", () => {
  function Sheet({ open, close }: { open: boolean; close: () => void }) {
    const ref = useSheet(open, close);
    return (
      <>
        <button type="button">Rooms</button>
        <div ref={ref}>{open && <button type="button">Close rooms</button>}</div>
      </>
    );
  }

  it("takes the focus, gives it back, and is closed by Escape wherever the focus is", async () => {
    const close = vi.fn();
    const { rerender } = render(<Sheet open={false} close={close} />);
    screen.getByRole("button", { name: "Rooms" }).focus();
    rerender(<Sheet open close={close} />);
    expect(document.activeElement).toBe(screen.getByRole("button", { name: "Close rooms" }));
    (document.activeElement as HTMLElement).blur();
    await userEvent.keyboard("{Escape}");
    expect(close).toHaveBeenCalledTimes(1);
    rerender(<Sheet open={false} close={close} />);
    await vi.waitFor(() => expect(document.activeElement).toBe(screen.getByRole("button", { name: "Rooms" })));
  });
});

it("what others say in other rooms is read out as long as somebody is there", async () => {
  const { unmount } = render(<Announcer client={client} open="general" />);
  for (const seq of [5, 6]) for (const hear of told.hearers) hear(message(seq, { room: "design", text: "+1" }));
  const lines = () => [...screen.getByTestId("announcer").children].map(({ textContent }) => textContent);
  await vi.waitFor(() => expect(lines()).toEqual(["Grace in Design: +1", "Grace in Design: +1"]));
  unmount();
  expect(told.hearers.size).toBe(0);
});
