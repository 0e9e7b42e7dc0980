// @vitest-environment node
import { beforeEach, describe, expect, it } from "vitest";
import type { HeldRooms } from "@/features/messages/log/followers";
import { emptyLog } from "@/features/messages/log/log";
import { createStore, type Store } from "@/lib/store";
import { fakeClock } from "@/testing/fakeClock";
import { message } from "@/testing/messages";
import type { Message } from "@/types/protocol";
import { createAnnouncements, type Announcements } from "./announcements";

let time: ReturnType<typeof fakeClock>;
let rooms: Store<HeldRooms>;
let announcements: Announcements;
let heard: string[];

const by = (seq: number, text: string, part: Partial<Message> = {}): Message => ({
  ...message(seq), author: "grace", name: "Grace", text, ...part,
});

/** The open room's log, up to these messages. */
function shows(...messages: Message[]) {
  const log = {
    ...emptyLog, generation: 1, cursor: messages.at(-1)?.seq ?? 1,
    snapshots: new Map(messages.map((each) => [each.seq, each])),
  };
  rooms.set(new Map([["general", { log, failure: null, trouble: null, loading: null }]]));
}

async function said() {
  await time.go(250);
  return heard;
}

beforeEach(() => {
  time = fakeClock();
  rooms = createStore<HeldRooms>(new Map());
  heard = [];
  announcements = createAnnouncements({
    me: { username: "ada", name: "Ada" }, clock: time.clock, rooms,
    nameOf: (room) => room.toUpperCase(),
  });
  const known = new Set<number>();
  announcements.said.subscribe(() => {
    for (const { id, text } of announcements.said.get()) {
      if (!known.has(id)) heard.push(text);
      known.add(id);
    }
  });
  announcements.start();
  announcements.open("general");
  shows(by(1, "before"));
});

describe("in the room that is open", () => {
  it("says nothing of what stood there already, nor of my own", async () => {
    shows(by(1, "before"), by(2, "mine", { author: "ada" }), by(3, "", { deleted: true }));
    expect(await said()).toEqual([]);
  });

  it("says a burst in order, each once, also the same words twice", async () => {
    const burst = ["+1", "+1", "two", "+1"].map((text, at) => by(at + 2, text));
    shows(by(1, "before"), ...burst);
    shows(by(1, "before"), ...burst);
    for (const each of burst) announcements.sent(each);
    expect(await said()).toEqual(["Grace: +1", "Grace: +1", "Grace: two", "Grace: +1"]);
  });

  it("says the number of what nobody would listen to", async () => {
    shows(...Array.from({ length: 40 }, (_, at) => by(at + 1, `${at}`)));
    expect(await said()).toEqual(["39 new messages"]);
  });

  it("keeps nothing for ever", async () => {
    shows(by(1, "before"), by(2, "hello"));
    await said();
    await time.go(60_000);
    expect(announcements.said.get()).toEqual([]);
  });
});

describe("elsewhere", () => {
  it("says where, and once", async () => {
    announcements.sent(by(5, "hello", { room: "design" }));
    announcements.sent(by(5, "hello", { room: "design" }));
    announcements.sent(by(6, "hello", { room: "design" }));
    expect(await said()).toEqual(["Grace in DESIGN: hello", "Grace in DESIGN: hello"]);
  });

  it.each([
    ["@ada look", true],
    ["look, @Ada!", true],
    ["mail@ada", false],
    ["@adam", false],
  ])("%s is a mention: %s", async (text, is) => {
    announcements.sent(by(5, text, { room: "design" }));
    expect((await said())[0]?.includes("mentioned you")).toBe(is);
  });
});
