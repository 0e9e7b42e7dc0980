import { act, render, screen } from "@testing-library/react";
import { MemoryRouter, Route, Routes } from "react-router";
import { beforeEach, expect, it, vi } from "vitest";
import { createSession, type SessionService } from "@/features/auth/session";
import type { Room } from "@/types/protocol";
import ChatRoom from "./ChatRoom";
import { clientOf, type Client } from "./client";

/** A socket that nobody answers. */
vi.mock("socket.io-client", () => ({ io: () => ({ connected: false, on() {}, connect() {}, disconnect() {} }) }));

const ada = { username: "ada", name: "Ada" };
const general: Room = { room: "general", name: "General", kind: "public", generation: 1, head: 0, read: 0, unread: 0 };
let session: SessionService;
let client: Client;

/** As the server has told it: these rooms are mine, and none beside them. */
const told = (...rooms: Room[]) => act(async () => {
  client.rooms.list.set((now) => ({ ...now, loaded: true, rooms: new Map(rooms.map((room) => [room.room, room])) }));
  client.followers.heads({});
});

beforeEach(() => {
  vi.stubGlobal("fetch", () => new Promise(() => {}));
  session = createSession();
  session.state.set({ status: "signed-in", user: ada });
  client = clientOf(session, ada);
});

function visit(address: string) {
  render(
    <MemoryRouter initialEntries={[address]}>
      <Routes><Route path="/r/:room" element={<ChatRoom session={session} user={ada} />} /></Routes>
    </MemoryRouter>,
  );
}

it.each(["constructor", "__proto__", "valueOf"])(
  "a room called %s is not here before it is mine, and is then one like others",
  async (room) => {
    visit(`/r/${room}`);
    await told(general);
    expect((await screen.findByRole("heading", { level: 1 })).textContent).toBe("Not here");
    await told(general, { ...general, room, name: "Odd" });
    expect(screen.getByRole("heading", { level: 1 }).textContent).toContain("Odd");
  },
);

it("a room that anybody may join has its name over the button that joins", async () => {
  visit("/r/plans");
  await told(general);
  act(() => client.rooms.list.set((now) => ({ ...now, joinable: [{ room: "plans", name: "Plans 2027" }] })));
  expect(screen.getByRole("heading", { level: 1 }).textContent).toBe("Plans 2027");
  expect(await screen.findByRole("button", { name: "Join Plans 2027" })).toBeTruthy();
});
