import { act, render, screen } from "@testing-library/react";
import type { ComponentProps } from "react";
import { MemoryRouter } from "react-router";
import { expect, it } from "vitest";
import { PendingMessage } from "@/features/messages/message/PendingMessage";
import { SentMessage } from "@/features/messages/message/SentMessage";
import { RoomNav } from "@/features/rooms/RoomNav";
import { TypingLine } from "@/features/presence/TypingLine";
import { createStore } from "@/lib/store";
import { message } from "@/testing/messages";
import type { Room } from "@/types/protocol";
import { ConnectionLine } from "./ConnectionLine";

/** What a browser does that translates a page: other nodes stand where its text stood. React is not told. */
function translate() {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found: Text[] = [];
  while (walker.nextNode()) found.push(walker.currentNode as Text);
  for (const text of found) {
    const font = document.createElement("font");
    font.append(text.data.toUpperCase());
    text.replaceWith(font);
  }
}

const said = (of: Element = document.body) => of.textContent;
const nothing = () => {};

it("a message that was translated can be edited, quoted otherwise, reacted to and deleted", () => {
  const handlers = { wishes: createStore({}), find() {} } as unknown as ComponentProps<typeof SentMessage>["handlers"];
  const element = (part: Partial<ComponentProps<typeof SentMessage>["message"]>, quoted?: string) => (
    <MemoryRouter>
      <SentMessage message={message(7, { reply_to: 3, ...part })} startsGroup={false} mine active={false}
        entered={false} editing={false} highlighted={false} handlers={handlers}
        quoted={quoted === undefined ? undefined : message(3, { text: quoted, deleted: quoted === "" })} />
    </MemoryRouter>
  );
  const { rerender } = render(element({ text: "see https://a.example and https://b.example" }));
  translate();
  rerender(element({ text: "see nothing", rev: 8, edited_at_ms: 1, reactions: { "👍": 1 } }, "first"));
  expect(said(screen.getByTestId("message-text"))).toBe("see nothing");
  expect(screen.getByRole("button", { name: /first/ }).textContent).toBe("Grace: first");
  translate();
  rerender(element({ text: "see https://c.example", rev: 9, reactions: { "👍": 2 } }, ""));
  expect([said(screen.getByTestId("message-text")), said(screen.getByRole("group", { name: "Reactions" }))]).toEqual([
    "see https://c.example", "👍 2",
  ]);
  translate();
  rerender(element({ text: "", deleted: true, rev: 10 }, ""));
  expect(screen.getByText("This message was deleted.")).toBeTruthy();
});

it("a message on its way that was translated fails, waits again, and has another reason", () => {
  const item = { user: "ada", room: "general", client_id: "p1", text: "hello", order: 1 };
  const failed = (text: string) => ({ code: "odd", message: text, retry: false });
  const element = (part: object) => (
    <PendingMessage item={{ ...item, state: "failed", ...part }} name="Ada" startsGroup retry={nothing}
      remove={nothing} />
  );
  const { rerender } = render(element({ failed: failed("Odd.") }));
  translate();
  rerender(element({ failed: undefined }));
  expect(said(screen.getByRole("alert"))).toMatch(/^Not sent\. /);
  rerender(element({ failed: failed("Odder.") }));
  expect(said(screen.getByRole("alert"))).toMatch(/^Not sent\. Odder\./);
  rerender(element({ state: "sending" }));
  expect(screen.queryByRole("alert")).toBeNull();
});

it("the list of rooms counts on, and the typing line goes", () => {
  const room: Room = { room: "a", name: "A", kind: "public", generation: 1, head: 9, read: 1, unread: 3 };
  const people = createStore(new Map([["a", new Map([["x", "Ada"], ["y", "Grace"]])]]));
  const typing = { people } as unknown as ComponentProps<typeof TypingLine>["typing"];
  const element = (unread: number) => (
    <MemoryRouter>
      <RoomNav rooms={[{ ...room, unread }]} drafted={new Set()} invited={new Set()} onPick={nothing} />
      <TypingLine typing={typing} room="a" />
    </MemoryRouter>
  );
  const { rerender } = render(element(3));
  translate();
  rerender(element(4));
  expect(said(screen.getByRole("link"))).toMatch(/4/);
  act(() => people.set(new Map([["a", new Map([["y", "Grace"]])]])));
  expect(said()).toContain("Grace is typing");
  translate();
  act(() => people.set(new Map()));
  rerender(element(0));
  expect(said()).toBe("A");
});

it("the line that says how the connection stands says the next thing", () => {
  const state = createStore<object>({ phase: "waiting", retry_at_ms: 0, restarting: false });
  const client = {
    connection: { state, line: createStore("good"), tryNow: nothing },
    outbox: { keeps: createStore(true), late: createStore(false) },
    rooms: { failure: createStore(null), shown: createStore({ rooms: new Map() }), refetch: nothing },
  } as unknown as ComponentProps<typeof ConnectionLine>["client"];
  render(<ConnectionLine client={client} />);
  translate();
  act(() => state.set({ phase: "waiting", retry_at_ms: 0, restarting: true }));
  expect(said(screen.getByRole("status"))).toMatch(/^The server is restarting\. Reconnecting /);
  translate();
  act(() => state.set({ phase: "waiting", retry_at_ms: 0, restarting: false }));
  expect(said(screen.getByRole("status"))).toMatch(/^Reconnecting /);
});
