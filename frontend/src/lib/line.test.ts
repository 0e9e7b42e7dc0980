// @vitest-environment node
import { beforeEach, describe, expect, it } from "vitest";
import { fakeClock } from "@/testing/fakeClock";
import { fakeWire } from "@/testing/fakeWire";
import { createConnection, type Connection } from "./connection";

let time: ReturnType<typeof fakeClock>;
let server: ReturnType<typeof fakeWire>;
let connection: Connection;
const now = () => [connection.state.get().phase, connection.line.get()];

beforeEach(() => {
  time = fakeClock();
  server = fakeWire();
  connection = createConnection(server.wire, time.clock, { unauthenticated() {}, mismatch() {} });
  connection.listen({ "rooms:changed": () => {} });
  connection.start();
  server.up();
});

describe("a line that stands still", () => {
  it("is pinged every 12 s, and said to be slow within 15, given up within 20", async () => {
    server.freeze();
    await time.go(14_999);
    expect([server.state.pings, ...now()]).toEqual([1, "connected", "good"]);
    await time.go(1);
    expect(now()).toEqual(["connected", "slow"]);
    await time.go(5_000);
    expect(now()).toEqual(["waiting", "good"]);
  });

  it("is slow 4 s after a request that nobody answers, and good again at any word", async () => {
    server.freeze();
    connection.ask("room:open", { room: "general", after: 0 }).catch(() => {});
    await time.go(4_000);
    expect(now()).toEqual(["connected", "slow"]);
    server.say("rooms:changed", {});
    expect(now()).toEqual(["connected", "good"]);
    await time.go(10_000);
    expect(now()).toEqual(["connected", "good"]);
  });
});

describe("a line that is alive", () => {
  it("is pinged each 12 s of silence, for ever, and stays good", async () => {
    await time.go(60_000);
    expect([server.state.pings, ...now()]).toEqual([5, "connected", "good"]);
  });

  it("is not pinged while anything is heard", async () => {
    for (let turn = 0; turn < 12; turn += 1) {
      await time.go(5_000);
      server.say("rooms:changed", {});
    }
    expect(server.state.pings).toBe(0);
  });

  it("is not pinged for a page that nobody looks at, but once somebody does: until then nothing is sure", async () => {
    connection.watched(false);
    await time.go(60_000);
    expect(server.state.pings).toBe(0);
    connection.watched(true);
    expect([server.state.pings, ...now()]).toEqual([1, "connected", "unsure"]);
    await time.go(0);
    expect(now()).toEqual(["connected", "good"]);
  });
});

describe("the browser's word that the network is gone", () => {
  it("counts at once", () => {
    connection.lost();
    expect([connection.state.get().phase, server.state.connected]).toEqual(["waiting", false]);
  });

  it("is not the last one: what can be reached all the same is reached again", async () => {
    connection.lost();
    await time.go(5_000);
    server.up();
    expect(now()).toEqual(["connected", "good"]);
  });
});
