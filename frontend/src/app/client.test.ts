import { render, screen } from "@testing-library/react";
import { IDBFactory } from "fake-indexeddb";
import { createElement } from "react";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { createSession, type SessionService } from "@/features/auth/session";
import { readDraft, writeDraft } from "@/lib/drafts";
import { fakeClock, settled } from "@/testing/fakeClock";
import { fakeWire } from "@/testing/fakeWire";
import { message, page, sent } from "@/testing/messages";
import type { ServerEvents } from "@/types/protocol";
import { createClient, clientOf, type Client } from "./client";
import { SyncMark } from "./SyncMark";
import { syncState } from "./syncState";

let session: SessionService;
let server: ReturnType<typeof fakeWire>;
let time: ReturnType<typeof fakeClock>;
let client: Client;
const ada = { username: "ada", name: "Ada" };
const general = { room: "general", name: "general", kind: "public", generation: 1, head: 2, read: 2, unread: 0 };

const stateAt = (open: string | null | undefined) =>
  syncState({
    connection: client.connection.state.get(), line: client.connection.line.get(), late: client.outbox.late.get(),
    compared: client.followers.compared.get(), list: client.rooms.list.get(), unlisted: client.rooms.failure.get(),
    rooms: client.followers.rooms.get(), outbox: client.outbox.items.get(), open,
  });
const state = () => stateAt("general");

beforeEach(async () => {
  globalThis.indexedDB = new IDBFactory();
  server = fakeWire();
  time = fakeClock();
  const answers: Record<string, object> = {
    protected: { user: ada, session: { expires_at: 1 } },
    rooms: { rooms: [general], joinable: [] },
  };
  vi.stubGlobal(
    "fetch",
    vi.fn(
      async (url: string) =>
        new Response(JSON.stringify(answers[url.split("/").at(-1) ?? ""] ?? page([sent(1), sent(2)]))),
    ),
  );
  session = createSession();
  await session.check();
  server.answer("room:open", ({ after }: { after: number }) => ({
    ok: true,
    ...page(after ? [] : [sent(1), sent(2)], { head: 2 }),
  }));
  client = createClient(session, ada, server.wire, time.clock);
  client.start();
  client.followers.hold("general");
  server.up();
  server.say("room:heads", { general: [1, 2] });
  await settled();
});

describe("the mark", () => {
  it("is in sync when everything is", () => expect(state()).toBe("synced"));

  it("is not while it is unknown whether the open room is mine, nor before that room is followed", () => {
    expect([stateAt(undefined), stateAt("elsewhere"), stateAt(null)]).toEqual(["syncing", "syncing", "synced"]);
  });

  it("is not while an entry is missing, nor before what is unread was counted again", async () => {
    server.say("message:sent", message(4));
    expect(state()).toBe("syncing");
    server.say("message:sent", message(3));
    expect(state()).toBe("syncing");
    await time.go(1_000);
    expect(state()).toBe("synced");
  });

  it("is not while something waits to go, and is when it went", async () => {
    server.answer("message:send", () => new Promise(() => {}));
    void client.outbox.add("general", "hello");
    expect(state()).toBe("sending");
    await settled();
    const [item] = client.outbox.items.get();
    server.say("message:sent", message(3, { author: "ada", client_id: item?.client_id }));
    expect([state(), client.outbox.items.get()]).toEqual(["synced", []]);
  });

  it("counts what waits to go", async () => {
    server.answer("message:send", () => new Promise(() => {}));
    for (const text of ["one", "two", "three"]) await client.outbox.add("general", text);
    render(createElement(SyncMark, { client, open: "general" }));
    expect(screen.getByTestId("sync-mark").textContent).toBe("Sending 3");
  });

  it("is not while a room of mine could not be loaded, and does not wait for one that is not mine", async () => {
    const refusal = (code: string) => () => ({ ok: false, error: { code, message: "No.", retry: false } });
    server.answer("room:open", refusal("internal"));
    client.followers.hold("design");
    await settled();
    expect([client.followers.rooms.get().get("design")?.failure?.code, state()]).toEqual(["internal", "syncing"]);
    server.answer("room:open", refusal("room_not_found"));
    client.followers.hold("design");
    await settled();
    expect([client.followers.rooms.get().get("design")?.failure?.code, state()]).toEqual(["room_not_found", "synced"]);
  });

  it("is not when the server has told no heads for longer than it should", async () => {
    await time.go(74_000);
    expect(state()).toBe("synced");
    await time.go(2_000);
    expect(state()).toBe("syncing");
    server.say("room:heads", { general: [1, 2] });
    expect(state()).toBe("synced");
  });

  it("is slow while an answer is late, also where others are heard, and until it is there", async () => {
    let answer = (_ack: object) => {};
    server.answer("message:send", () => new Promise<object>((resolve) => (answer = resolve)));
    await client.outbox.add("general", "hello");
    await time.go(3_900);
    server.say("room:heads", { general: [1, 2] });
    expect(state()).toBe("sending");
    await time.go(100);
    expect([client.connection.line.get(), state()]).toEqual(["good", "slow"]);
    answer({ ok: true, message: message(3, { author: "ada", client_id: client.outbox.items.get()[0]?.client_id }) });
    await settled();
    expect(state()).not.toBe("slow");
  });

  it("is offline as soon as the browser says so", () => {
    window.dispatchEvent(new Event("offline"));
    expect([state(), server.state.connected]).toEqual(["offline", false]);
  });

  it("is not while the connection is away, nor before its heads are compared", () => {
    server.down();
    expect(state()).toBe("offline");
    server.up();
    expect(state()).toBe("syncing");
    server.say("room:heads", { general: [1, 2] });
    expect(state()).toBe("synced");
  });
});

describe("a page that is pulled", () => {
  it("settles what was sent and never acked", async () => {
    server.answer("message:send", () => new Promise(() => {}));
    await client.outbox.add("general", "hello");
    const client_id = client.outbox.items.get()[0]?.client_id;
    const mine = message(3, { author: "ada", client_id });
    server.answer("room:open", () => ({ ok: true, ...page([sent(3)], { messages: [mine] }) }));
    server.down();
    server.up();
    server.say("room:heads", { general: [1, 3] });
    await settled();
    expect(client.outbox.items.get()).toEqual([]);
  });
});

describe("what the server tells", () => {
  const EVENTS: Record<keyof ServerEvents, true> = {
    "message:sent": true, "message:changed": true, "member:joined": true, "member:left": true, "member:removed": true,
    "room:changed": true, "entry:skipped": true, "room:heads": true, "rooms:changed": true, "room:made": true,
    "room:read": true, "reaction:mine": true, typing: true, "session:expiring": true, "session:ended": true,
    "server:restarting": true,
  };

  it.each(Object.keys(EVENTS))("is heard: %s", (event) => expect(server.hears(event)).toBe(true));

  it("of a message ends its author's typing, and of no other's", () => {
    for (const user of ["grace", "linus"]) server.say("typing", { room: "general", user, name: user, typing: true });
    server.say("message:sent", message(3));
    expect([...(client.typing.people.get().get("general") ?? [])]).toEqual([["linus", "linus"]]);
  });

  it("of a room's new name is its name in the list", () => {
    server.say("room:changed", { room: "general", generation: 1, entry: 3, name: "Everybody", at_ms: 1 });
    expect(client.rooms.list.get().rooms.get("general")?.name).toBe("Everybody");
  });

  it("is nothing to whoever was here before", () => {
    session.forget();
    server.say("typing", { room: "general", user: "grace", name: "Grace", typing: true });
    server.say("room:heads", { general: [1, 9] });
    expect([client.typing.people.get().size, client.followers.compared.get()]).toEqual([0, false]);
  });
});

describe("the end of the session", () => {
  it("closes the socket and keeps what was typed", async () => {
    writeDraft("ada", "general", "draft");
    server.answer("message:send", () => new Promise(() => {}));
    await client.outbox.add("general", "on its way");
    server.say("session:ended", { reason: "expired" });
    expect([session.state.get().status, server.state.connected]).toEqual(["ended", false]);
    expect([readDraft("ada", "general"), client.outbox.items.get().length]).toEqual(["draft", 1]);
  });

  it("by a logout in another tab is a logout here: nothing is left", async () => {
    writeDraft("ada", "general", "draft");
    server.answer("message:send", () => new Promise(() => {}));
    await client.outbox.add("general", "on its way");
    server.say("session:ended", { reason: "logout" });
    await settled();
    expect([session.state.get().status, readDraft("ada", "general"), client.outbox.items.get()]).toEqual([
      "signed-out",
      "",
      [],
    ]);
  });

  describe("by signing in again in another tab", () => {
    const refusal = { error: { code: "unauthenticated", message: "Please sign in.", retry: false } };
    const refuse = (status = 401) => new Response(JSON.stringify(refusal), { status });

    it("is none: the page asks again until the new cookie is there, and only then connects", async () => {
      vi.mocked(fetch).mockImplementationOnce(async () => refuse()).mockImplementationOnce(async () => refuse());
      server.say("session:ended", { reason: "replaced" });
      await time.go(1_000);
      expect([session.state.get().status, client.connection.state.get().phase]).toEqual(["signed-in", "idle"]);
      await time.go(1_000);
      expect([session.state.get().status, client.connection.state.get().phase]).toEqual(["signed-in", "connecting"]);
    });

    it("is one when no new cookie comes", async () => {
      vi.mocked(fetch).mockImplementation(async () => refuse());
      server.say("session:ended", { reason: "replaced" });
      await time.go(3_100);
      expect([session.state.get().status, server.state.connected]).toEqual(["ended", false]);
    });

    it("leaves it to the connection when nobody answers", async () => {
      vi.mocked(fetch).mockImplementation(async () => {
        throw new TypeError("Failed to fetch");
      });
      server.say("session:ended", { reason: "replaced" });
      await time.go(300);
      expect([session.state.get().status, client.connection.state.get().phase]).toEqual(["signed-in", "connecting"]);
    });

    it("signs nobody in who signed out meanwhile", async () => {
      server.say("session:ended", { reason: "replaced" });
      session.forget();
      vi.mocked(fetch).mockClear();
      await time.go(5_000);
      expect([session.state.get().status, vi.mocked(fetch).mock.calls.length]).toEqual(["signed-out", 0]);
    });
  });

  it("is announced, and the announcement goes when something is done", async () => {
    server.say("session:expiring", { expires_at: 99 });
    expect(session.expiring.get()).toBe(99);
    server.answer("message:send", ({ client_id }: { client_id: string }) => ({
      ok: true,
      message: message(3, { author: "ada", client_id }),
    }));
    await client.outbox.add("general", "still here");
    await settled();
    expect(session.expiring.get()).toBeNull();
  });
});

describe("rooms", () => {
  it("that are no longer mine are forgotten", async () => {
    vi.mocked(fetch).mockImplementation(async () => new Response(JSON.stringify({ rooms: [], joinable: [] })));
    server.say("rooms:changed", {});
    await settled();
    expect(client.followers.rooms.get().size).toBe(0);
  });
});

it("rendering twice makes one client, another person another one", () => {
  const first = clientOf(session, ada);
  expect(clientOf(session, { ...ada })).toBe(first);
  expect(clientOf(session, { username: "grace", name: "Grace" })).not.toBe(first);
});
