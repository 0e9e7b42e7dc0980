import { act, fireEvent, render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { IDBFactory } from "fake-indexeddb";
import { MemoryRouter, Route, Routes } from "react-router";
import { beforeEach, expect, it, vi } from "vitest";
import { createSession, type SessionService } from "@/features/auth/session";
import { writeDraft, writeEdit } from "@/lib/drafts";
import { message, page, sent } from "@/testing/messages";
import type { Room } from "@/types/protocol";
import ChatRoom from "./ChatRoom";
import { clientOf, type Client } from "./client";
import { rememberRoom } from "./lastRoom";

/** A socket that nobody answers. */
vi.mock("socket.io-client", () => ({ io: () => ({ connected: false, on() {}, connect() {}, disconnect() {} }) }));

const ada = { username: "ada", name: "Ada" };
const room = (id: string): Room => ({
  room: id, name: id, kind: "public", generation: 1, head: 1, read: 1, unread: 0,
});
const WITHIN = { timeout: 30_000 };
let session: SessionService;
let client: Client;
let asked: string[];

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory();
  rememberRoom("ada", "general"); // what it says is asked for at once
  asked = [];
  Element.prototype.scrollTo = () => {};
  vi.stubGlobal("fetch", async (url: string, init?: RequestInit) => {
    asked.push(`${init?.method ?? "GET"} ${url}`);
    if (url.includes("/general/messages"))
      return new Response(JSON.stringify(page([sent(1)], { messages: [message(1, { author: "ada", text: "mine" })] })));
    if (url.includes("config.json")) return new Response(JSON.stringify({ auth_base: "", remember_days: 0 }));
    if (url.includes("/logout")) return new Response(null, { status: 204 });
    return new Promise<Response>(() => {});
  });
  session = createSession();
  session.state.set({ status: "signed-in", user: ada });
});

async function open() {
  client = clientOf(session, ada);
  const { unmount } = render(
    <MemoryRouter initialEntries={["/r/general"]}>
      <Routes><Route path="/r/:room" element={<ChatRoom session={session} user={ada} />} /></Routes>
    </MemoryRouter>,
  );
  await act(async () => {
    client.rooms.list.set((now) => ({
      ...now, loaded: true, rooms: new Map(["general", "design"].map((id) => [id, room(id)])),
    }));
    client.followers.heads({});
  });
  return unmount;
}

/** What is fetched right behind the page has come. */
const loaded = () => act(async () => void (await import("./Bars")));
const button = (name: string) => screen.getByRole("button", { name });
const wasSignedOut = () => asked.some((each) => each.includes("logout"));

it("signing out asks when something was typed and not sent, and says what would be lost", async () => {
  writeDraft("ada", "design", "half a thought");
  await open();
  await userEvent.click(button("Sign out"));
  const dialog = await screen.findByRole("dialog", { name: "Sign out?" }, WITHIN);
  expect(dialog.textContent).toContain("There is a draft in one room.");
  expect(wasSignedOut()).toBe(false);
  await userEvent.click(within(dialog).getByRole("button", { name: "Stay signed in" }));
  expect([screen.queryByRole("dialog"), wasSignedOut()]).toEqual([null, false]);
  await act(() => client.outbox.add("general", "on its way"));
  await userEvent.click(button("Sign out"));
  expect((await screen.findByRole("dialog", { name: "Sign out?" })).textContent).toContain(
    "1 message has not been sent.",
  );
  await userEvent.click(button("Delete and sign out"));
  await vi.waitFor(() => expect(session.state.get().status).toBe("signed-out"), WITHIN);
});

it("signing out with nothing unsent asks nothing", async () => {
  await open();
  await userEvent.click(button("Sign out"));
  await vi.waitFor(() => expect(session.state.get().status).toBe("signed-out"), WITHIN);
});

it("a draft elsewhere is marked in the list of rooms; here it stands in the field", async () => {
  for (const id of ["general", "design"]) writeDraft("ada", id, "half a thought");
  await open();
  expect(screen.getByRole("link", { name: "design draft" })).toBeTruthy();
  expect(screen.getByRole("link", { name: "general" })).toBeTruthy();
  await act(async () => writeDraft("ada", "design", ""));
  expect(screen.getByRole("link", { name: "design" })).toBeTruthy();
});

it("the target of an answer and the text of an edit are there again after a reload", async () => {
  const leave = await open();
  const article = await screen.findByRole("article", { hidden: true }, WITHIN);
  article.focus();
  fireEvent.keyDown(article, { key: "r" });
  expect(screen.getByText(/^To/, { selector: "p *" }).closest("p")?.textContent).toMatch(/^To .?Grace.?: .?mine/);
  fireEvent.keyDown(article, { key: "e" });
  const field = await screen.findByLabelText("Edit text", {}, WITHIN);
  fireEvent.change(field, { target: { value: "mine, but better" } });
  leave();
  await open();
  expect(screen.getByText(/^To/, { selector: "p *" }).closest("p")?.textContent).toMatch(/^To .?Grace.?: .?mine/);
  const again = await screen.findByLabelText("Edit text", {}, WITHIN);
  expect(again).toHaveProperty("value", "mine, but better");
  fireEvent.keyDown(again, { key: "Escape" });
  fireEvent.click(button("Do not reply"));
  expect(Object.keys(localStorage).filter((key) => /^parley\.(edit|reply)/.test(key))).toEqual([]);
});

it("an edit of a message that is gone is given up", async () => {
  writeEdit("ada", "general", { seq: 1, text: "too late" });
  await open();
  await screen.findByLabelText("Edit text", {}, WITHIN);
  const gone = message(1, { author: "ada", rev: 2, deleted: true, text: "" });
  await act(async () => client.followers.changed({ room: "general", generation: 1, entry: 2, message: gone }));
  expect(screen.queryByLabelText("Edit text")).toBeNull();
  expect(screen.queryByRole("link", { name: "general draft" })).toBeNull();
});

it("a picture that is pasted is answered; text with a picture of it is pasted", async () => {
  await open();
  await loaded();
  const field = screen.getByRole("textbox", { name: "Message" });
  const brings = (text: string) => ({ clipboardData: { types: ["Files"], getData: () => text } });
  expect(fireEvent.paste(field, brings("a table of cells"))).toBe(true);
  expect(screen.queryByText("Files can’t be sent yet.")).toBeNull();
  expect(fireEvent.paste(field, brings(""))).toBe(false);
  expect(screen.getByText("Files can’t be sent yet.").closest("[role=status]")).toBeTruthy();
});

it("a file that is dropped does not take the page away", async () => {
  await open();
  await loaded();
  const dataTransfer = { types: ["Files"], getData: () => "" };
  expect(fireEvent.dragOver(document.body, { dataTransfer })).toBe(false);
  expect(fireEvent.drop(document.body, { dataTransfer })).toBe(false);
});
