import { act, render, screen } from "@testing-library/react";
import { MemoryRouter } from "react-router";
import { expect, it } from "vitest";
import { Composer } from "@/features/messages/composer/Composer";
import { createNames } from "@/features/messages/log/names";
import { SentMessage } from "@/features/messages/message/SentMessage";
import { RoomNote } from "@/features/messages/timeline/RoomNote";
import { TypingLine } from "@/features/presence/TypingLine";
import { createStore } from "@/lib/store";
import { message } from "@/testing/messages";
import type { Entry } from "@/types/protocol";

/** What stands by itself, in its own direction; and that nothing else is between. */
/** Without Unicode's own signs for a direction, which do the same where there are no elements. */
const text = (element: Element) => element.textContent?.replace(/[\u2066-\u2069]/g, "");
const apart = (element: Element) => [...element.querySelectorAll("bdi")].map(text);

it.each<[Partial<Entry>, string, string[]]>([
  [{ kind: "joined", user: "דנה", name: "דנה", by: "سلمى" }, "דנה was invited by سلمى.", ["דנה", "سلمى"]],
  [{ kind: "left", user: "דנה", name: "דנה" }, "דנה left.", ["דנה"]],
  [{ kind: "room", name: "غرفة" }, "The room is called غرفة now.", ["غرفة"]],
  [{ kind: "removed" }, "Somebody was removed.", []],
])("a note has each name in a direction of its own", (part, said, names) => {
  render(<RoomNote entry={{ seq: 1, kind: "joined", ...part }} names={createNames()} />);
  const note = document.querySelector("p") as Element;
  expect([text(note), apart(note)]).toEqual([said, names]);
});

it("a quote has author and words in a direction of their own", () => {
  const handlers = { wishes: createStore({}) } as unknown as Parameters<typeof SentMessage>[0]["handlers"];
  render(
    <MemoryRouter>
      <SentMessage message={message(7, { reply_to: 3 })} startsGroup mine={false} active={false} entered={false}
        editing={false} highlighted={false} quoted={message(3, { name: "דנה", text: "12 שלום?" })}
        handlers={handlers} />
    </MemoryRouter>,
  );
  const quote = screen.getByRole("button", { name: /שלום/ });
  expect([text(quote), apart(quote)]).toEqual(["דנה: 12 שלום?", ["דנה", "12 שלום?"]]);
});

it("the field says so too to whom a message is, and the line below who types", () => {
  const nothing = () => {};
  render(
    <Composer user="ada" room="general" roomName="General" replyTo={message(3, { name: "דנה", text: "שלום!" })}
      cancelReply={nothing} send={nothing} editLast={nothing} typed={nothing} stopped={nothing} />,
  );
  const reply = document.querySelector("p") as Element;
  expect([text(reply), apart(reply)]).toEqual(["To דנה: שלום!", ["דנה", "שלום!"]]);
  const people = createStore(new Map([["general", new Map([["a", "דנה"], ["b", "Ada"]])]]));
  const typing = { people } as unknown as Parameters<typeof TypingLine>[0]["typing"];
  const { container } = render(<TypingLine typing={typing} room="general" />);
  expect([text(container), apart(container)]).toEqual(["דנה and Ada are typing", ["דנה", "Ada"]]);
  act(() => people.set(new Map()));
  expect(text(container)).toBe("");
});
