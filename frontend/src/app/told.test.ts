import { act, render, renderHook, screen } from "@testing-library/react";
import { IDBFactory } from "fake-indexeddb";
import { createElement } from "react";
import { MemoryRouter } from "react-router";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { createSession } from "@/features/auth/session";
import QuickSwitcher from "@/features/rooms/QuickSwitcher";
import { RoomNav } from "@/features/rooms/RoomNav";
import { fakeClock, settled } from "@/testing/fakeClock";
import { fakeWire } from "@/testing/fakeWire";
import { message, page } from "@/testing/messages";
import type { Room, RoomName } from "@/types/protocol";
import { createClient, type Client } from "./client";
import { RoomHeader } from "./RoomHeader";
import RoomMissing from "./RoomMissing";
import { useTitle } from "./useTitle";

const ada = { username: "ada", name: "Ada" };
const room = (id: string, part: Partial<Room> = {}): Room => ({
  room: id, name: id, kind: "private", generation: 1, head: 2, read: 2, unread: 0, ...part,
});

let server: ReturnType<typeof fakeWire>;
let client: Client;
let mine: Room[];
let joinable: RoomName[];

beforeEach(async () => {
  globalThis.indexedDB = new IDBFactory();
  [server, mine, joinable] = [fakeWire(), [room("general"), room("Secret")], []];
  vi.stubGlobal(
    "fetch",
    vi.fn(
      async (url: string) =>
        new Response(
          JSON.stringify(
            url.endsWith("/rooms")
              ? { rooms: mine, joinable }
              : url.endsWith("protected")
                ? { user: ada, session: { expires_at: 1 } }
                : page([]),
          ),
        ),
    ),
  );
  const session = createSession();
  await session.check();
  client = createClient(session, ada, server.wire, fakeClock().clock);
  client.start();
  server.up();
  await settled();
});

it("whose a room is now is known as soon as its owner has left", () => {
  const told = { room: "Secret", generation: 1, entry: 3, user: "grace", name: "Grace" };
  server.say("member:left", told);
  expect(client.rooms.list.get().rooms.get("Secret")?.owner).toBeUndefined();
  server.say("member:left", { ...told, entry: 4, successor: "ada" });
  expect(client.rooms.list.get().rooms.get("Secret")).toMatchObject({ owner: "ada", head: 4 });
});

describe("whoever is removed from a room", () => {
  const missing = () =>
    render(createElement(MemoryRouter, {}, createElement(RoomMissing, { room: "Secret", rooms: client.rooms })));

  async function removed(by = "grace") {
    mine = [room("general")];
    await act(async () => {
      server.say("member:removed", { room: "Secret", generation: 1, entry: 3, user: "ada", name: "Ada", by });
      server.say("rooms:changed", {});
      await settled();
    });
  }

  it("reads that, and who did it", async () => {
    server.say("message:sent", message(3, { room: "general" }));
    await removed();
    missing();
    await screen.findByText("You were removed from Secret by Grace.");
  });

  it("can join again where anybody can", async () => {
    await removed("linus");
    joinable = [{ room: "Secret", name: "Secret" }];
    missing();
    await screen.findByText("You were removed from Secret by linus.");
    await screen.findByRole("button", { name: "Join Secret" });
  });

  it("does not read it any more after having been there again", async () => {
    await removed();
    mine = [room("general"), room("Secret")];
    await act(async () => client.rooms.refetch());
    mine = [room("general")];
    missing();
    await screen.findByText("There is no such room, or you are not in it.");
  });

  it("knows nothing of others who are", async () => {
    server.say("member:removed", {
      room: "Secret", generation: 1, entry: 3, user: "linus", name: "Linus", by: "grace",
    });
    mine = [room("general")];
    await act(async () => client.rooms.refetch());
    missing();
    await screen.findByText("There is no such room, or you are not in it.");
  });
});

describe("how much is unread, where the server has counted no further,", () => {
  const unread = [[330, true, "99+"], [40, true, "40+"], [120, false, "99+"], [7, false, "7"]] as const;

  it.each(unread)("is told everywhere alike: %s, %s", async (count, more, told) => {
    mine = [room("general"), room("Big", { unread: count, unread_more: more })];
    await client.rooms.refetch();
    const { rooms } = client.rooms.list.get();
    const elsewhere = mine[1] as Room;
    const header = {
      client, room: mine[0], id: "general", missing: false, elsewhere, isInvited: false, open: () => {},
    };
    const none = new Set<string>();
    renderHook(() => useTitle("general", rooms, false));
    render(createElement(MemoryRouter, {},
      createElement(QuickSwitcher, { rooms: client.rooms, onPick: () => {}, onClose: () => {} }),
      createElement(RoomNav, { rooms: mine, drafted: none, invited: none, onPick: () => {} }),
      createElement(RoomHeader, header)));
    expect(document.title).toBe(`(${told}) general · Parley`);
    expect(screen.getByRole("option", { name: /^Big/ }).textContent).toBe(`Big${told} unread`);
    expect(screen.getByRole("link", { name: /^Big/ }).textContent).toBe(`Big private${told} unread`);
    expect(screen.getByRole("button", { name: `Rooms, ${told} unread` })).toBeTruthy();
  });

  it("is not told where there is nothing", () => {
    renderHook(() => useTitle("general", client.rooms.list.get().rooms, false));
    expect(document.title).toBe("general · Parley");
  });
});
