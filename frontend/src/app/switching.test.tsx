import { act, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { MemoryRouter } from "react-router";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createSession, type SessionService } from "@/features/auth/session";
import type { MessageHandlers } from "@/features/messages/message/handlers";
import { SentMessage } from "@/features/messages/message/SentMessage";
import { language, speak } from "@/lib/language";
import { createStore } from "@/lib/store";
import { message } from "@/testing/messages";
import type { Room } from "@/types/protocol";
import { messages as german } from "@/words/de.po";
import { App } from "./App";
import { clientOf } from "./client";

/** A socket that nobody answers. */
vi.mock("socket.io-client", () => ({ io: () => ({ connected: false, on() {}, connect() {}, disconnect() {} }) }));

const ada = { username: "ada", name: "Ada" };
const general: Room = { room: "general", name: "General", kind: "public", generation: 1, head: 3, read: 3, unread: 0 };
let session: SessionService;

beforeEach(() => {
  vi.stubGlobal("fetch", () => new Promise(() => {}));
  session = createSession();
  session.state.set({ status: "signed-in", user: ada });
});
afterEach(() => speak("en"));

/** What is read and heard in the page, but for what people said. */
function heard(): string[] {
  const found: string[] = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) found.push(walker.currentNode.textContent?.trim() ?? "");
  for (const name of ["aria-label", "title", "placeholder"])
    for (const element of document.querySelectorAll(`[${name}]`)) found.push(element.getAttribute(name) ?? "");
  return found;
}

it("another language is there at once, all of it, and nothing is lost", async () => {
  render(<MemoryRouter initialEntries={["/r/general"]}><App session={session} /></MemoryRouter>);
  const client = clientOf(session, ada);
  await act(async () => {
    client.rooms.list.set((now) => ({ ...now, loaded: true, rooms: new Map([["general", general]]) }));
  });
  const user = userEvent.setup();
  const field = await screen.findByRole("textbox", { name: "Message" });
  await user.type(field, "half a thought");
  await user.click(screen.getByRole("button", { name: "Your account, Ada" }));
  const choice = await screen.findByLabelText("Language");

  await user.selectOptions(choice, "Deutsch");

  await waitFor(() => expect(language.get()).toBe("de"));
  expect(document.documentElement.lang).toBe("de");
  expect(screen.getByRole("dialog", { name: "Dein Konto" })).toBeTruthy();
  expect(screen.getByLabelText("Sprache")).toBe(choice);
  expect(choice).toBe(document.activeElement);
  expect(screen.getByRole("textbox", { name: "Nachricht" })).toBe(field);
  expect(field).toHaveProperty("value", "half a thought");
  const same = ([english, compiled]: [string, unknown]) => String(compiled) === english;
  const english = new Set(Object.entries(german).filter((entry) => !same(entry)).map(([id]) => id));
  expect(heard().length).toBeGreaterThan(30);
  expect(heard().filter((each) => english.has(each))).toEqual([]);

  await user.selectOptions(choice, "English");
  await waitFor(() => expect(screen.getByRole("dialog", { name: "Your account" })).toBeTruthy());
  expect(within(screen.getByRole("dialog")).getByText("Your devices")).toBeTruthy();
});

it("a message that was drawn before is drawn anew", async () => {
  const handlers = { wishes: createStore({}) } as unknown as MessageHandlers;
  const look = {
    startsGroup: true, mine: true, active: false, entered: false, editing: false, highlighted: false, quoted: undefined,
  };
  render(
    <MemoryRouter>
      <SentMessage message={message(1, { text: "tall\n".repeat(40), edited_at_ms: 1 })} handlers={handlers} {...look} />
    </MemoryRouter>,
  );
  expect(screen.getByRole("button", { name: "Show more" })).toBeTruthy();
  await act(() => speak("de"));
  expect(screen.getByRole("button", { name: "Mehr zeigen" })).toBeTruthy();
  expect(screen.getByText("bearbeitet")).toBeTruthy();
  expect(screen.getByRole("article").getAttribute("aria-label")).toContain("Bearbeitet");
});
