/** What a message costs the page around the log, counted: how often React commits anything. */
import { act, render, screen } from "@testing-library/react";
import { Profiler } from "react";
import { MemoryRouter, Route, Routes } from "react-router";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createSession } from "@/features/auth/session";
import { message, page, range, sent } from "@/testing/messages";
import type { Room } from "@/types/protocol";
import ChatRoom from "./ChatRoom";
import { clientOf } from "./client";
import { rememberRoom } from "./lastRoom";

/** A socket that nobody answers. */
vi.mock("socket.io-client", () => ({ io: () => ({ connected: false, on() {}, connect() {}, disconnect() {} }) }));

const ada = { username: "ada", name: "Ada" };
const room = (id: string): Room => ({
  room: id, name: id, kind: "public", generation: 1, head: 20, read: 20, unread: 0,
});

let answers: ((answer: Response) => void)[];

beforeEach(() => {
  rememberRoom("ada", "general"); // what it says is asked for at once
  Element.prototype.scrollTo = () => {};
  answers = [];
  vi.stubGlobal("fetch", (url: string) => new Promise<Response>((answer) => {
    if (url.includes("/general/messages")) answers.push(answer);
  }));
});

afterEach(() => vi.useRealTimers());

/** The page with a room open, all of it seen; `said` is what is pushed, `seen` what the look at it tells. */
async function open() {
  const session = createSession();
  session.state.set({ status: "signed-in", user: ada });
  const client = clientOf(session, ada);
  const committed = vi.fn();
  render(
    <Profiler id="page" onRender={committed}>
      <MemoryRouter initialEntries={["/r/general"]}>
        <Routes><Route path="/r/:room" element={<ChatRoom session={session} user={ada} />} /></Routes>
      </MemoryRouter>
    </Profiler>,
  );
  const messages = range(1, 20).map((seq) => message(seq, { author: "linus" }));
  await act(async () => {
    client.rooms.list.set((now) => ({
      ...now, loaded: true, rooms: new Map(["general", "design"].map((id) => [id, room(id)])),
    }));
    client.followers.heads({});
  });
  const newest = JSON.stringify(page(messages.map(({ seq }) => sent(seq)), { messages }));
  await act(async () => answers.forEach((answer) => answer(new Response(newest))));
  await screen.findByRole("log");
  const parts = [import("./Announcer"), import("./Bars"), import("@/features/messages/timeline/Welcome")];
  await act(async () => void (await Promise.all(parts)));
  vi.useFakeTimers(); // what is later than a message is no part of it
  await act(async () => client.rooms.seen("general", 20));
  const say = (id: string, seq: number) => act(async () => {
    const said = message(seq, { room: id, author: "linus" });
    client.followers.sent(said);
    client.rooms.sent(said);
  });
  return { client, say, committed };
}

const count = (id: string) => screen.getByRole("link", { name: new RegExp(`^${id}`) }).textContent;

it("a message in the open room is one commit, and none when it has been seen as it came", async () => {
  const { client, say, committed } = await open();
  await say("general", 21);
  await act(async () => client.rooms.seen("general", 21));
  committed.mockClear();
  await say("general", 22);
  expect(committed).toHaveBeenCalledTimes(1);
  await act(async () => client.rooms.seen("general", 22));
  expect(committed).toHaveBeenCalledTimes(1);
  expect([count("general"), document.title]).toEqual(["general", "general · Parley"]);
  expect(client.rooms.list.get().rooms.get("general")).toMatchObject({ read: 22, unread: 0 });
});

it("is counted when the look at it leaves it unread, or nobody looks", async () => {
  const { client, say } = await open();
  await say("general", 21);
  await act(async () => client.rooms.seen("general", 20));
  expect(count("general")).toBe("general1 unread");
  await act(async () => client.rooms.seen("general", 21));
  await say("general", 22);
  expect(count("general")).toBe("general");
  await act(async () => vi.advanceTimersByTime(100));
  expect(count("general")).toBe("general1 unread");
  await act(async () => client.rooms.seen("general", 22));
  await act(async () => client.rooms.lookedAway());
  await say("general", 23);
  expect(count("general")).toBe("general1 unread");
});

it("in another room is counted at once, also while the open one waits for a look", async () => {
  const { say } = await open();
  await say("general", 21);
  await say("design", 21);
  expect([count("general"), count("design")]).toEqual(["general", "design1 unread"]);
});
