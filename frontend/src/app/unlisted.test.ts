import { act, render, screen } from "@testing-library/react";
import { IDBFactory } from "fake-indexeddb";
import { createElement, Fragment } from "react";
import { beforeEach, expect, it, vi } from "vitest";
import { createSession } from "@/features/auth/session";
import { fakeClock, settled } from "@/testing/fakeClock";
import { fakeWire } from "@/testing/fakeWire";
import { page, sent } from "@/testing/messages";
import { createClient, type Client } from "./client";
import { ConnectionLine } from "./ConnectionLine";
import { SyncMark } from "./SyncMark";

/** A list of rooms that is refused, again and again, while the socket is well. */
const REFUSED = {
  error: {
    code: "unavailable", message: "The chat cannot reach its storage right now. Please try again.", retry: true,
  },
};
const ada = { username: "ada", name: "Ada" };
const general = { room: "general", name: "General", kind: "public", generation: 1, head: 2, read: 2, unread: 0 };

let server: ReturnType<typeof fakeWire>;
let time: ReturnType<typeof fakeClock>;
let client: Client;
let refused: boolean;

const mark = () => screen.getByTestId("sync-mark").dataset.state;

beforeEach(async () => {
  globalThis.indexedDB = new IDBFactory();
  [server, time, refused] = [fakeWire(), fakeClock(), false];
  const rooms = () =>
    refused
      ? new Response(JSON.stringify(REFUSED), { status: 503 })
      : new Response(JSON.stringify({ rooms: [general], joinable: [] }));
  const other = (url: string) =>
    new Response(
      JSON.stringify(url.endsWith("protected") ? { user: ada, session: { expires_at: 1 } } : page([sent(1), sent(2)])),
    );
  vi.stubGlobal("fetch", vi.fn(async (url: string) => (url.endsWith("/rooms") ? rooms() : other(url))));
  const session = createSession();
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
  render(
    createElement(
      Fragment,
      {},
      createElement(SyncMark, { client, open: "general" }),
      createElement(ConnectionLine, { client }),
    ),
  );
});

async function refuse() {
  refused = true;
  await act(async () => {
    server.say("rooms:changed", {});
    await settled();
  });
}

it("is not in sync, and the page says why, until it is answered", async () => {
  expect(mark()).toBe("synced");
  await refuse();
  expect(mark()).toBe("syncing");
  await screen.findByText(
    "Your list of rooms may be old. The chat cannot reach its storage right now. Please try again.",
  );
  await act(() => time.go(20_000));
  expect(mark()).toBe("syncing");
  refused = false;
  await act(() => time.go(60_000));
  await act(async () => server.say("room:heads", { general: [1, 2] }));
  expect([mark(), screen.queryByText(/may be old/)]).toEqual(["synced", null]);
});

it("is asked for at once by whoever wants it now", async () => {
  await refuse();
  const button = await screen.findByRole("button", { name: "Try now" });
  refused = false;
  await act(async () => {
    button.click();
    await settled();
  });
  expect([mark(), screen.queryByText(/may be old/)]).toEqual(["synced", null]);
});

it("is not in sync while its counts are to be asked for again", async () => {
  await act(async () => server.say("room:heads", { general: [1, 2], elsewhere: [1, 4] }));
  expect(mark()).toBe("syncing");
  await act(() => time.go(2_000));
  expect(mark()).toBe("synced");
});
