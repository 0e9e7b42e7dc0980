// @vitest-environment node
import { beforeEach, expect, it, vi } from "vitest";
import type { Http } from "@/lib/http";
import { fakeClock, settled } from "@/testing/fakeClock";
import { message, page, range, sent } from "@/testing/messages";
import type { Ask, Page } from "@/types/protocol";
import { createFollowers, type Followers } from "./followers";
import { createPages } from "./pages";

const http = vi.fn<(method: string, url: string) => Promise<Page>>();
const told = vi.fn<(page: Page) => void>();
let newest: Page;
let followers: Followers;

async function hold() {
  const ask = (async () => newest) as unknown as Ask;
  const pages = createPages({ base: "", http: http as unknown as Http, ask, told });
  followers = createFollowers({ ...pages, clock: fakeClock().clock, connected: () => true });
  followers.hold("general");
  await settled();
}

const log = () => followers.rooms.get().get("general")?.log;
const answering = (from: number, to: number, reply_to: number, part: Partial<Page>) =>
  page(range(from, to).map(sent), { messages: range(from, to).map((seq) => message(seq, { reply_to })), ...part });

beforeEach(() => void http.mockReset());

it("what a page's messages answer is there with it, and nothing is fetched for it", async () => {
  newest = answering(151, 200, 7, { more: true, quotes: [message(7, { text: "what it was about" })] });
  await hold();
  await followers.find("general", 7);
  expect(log()?.snapshots.get(7)?.text).toBe("what it was about");
  expect([log()?.oldest, log()?.cursor, http.mock.calls.length]).toEqual([151, 200, 0]);

  http.mockResolvedValue(answering(101, 150, 8, { head: 200, more: true, quotes: [message(8)] }));
  await followers.older("general");
  await followers.find("general", 8);
  expect([log()?.snapshots.has(8), log()?.oldest, http.mock.calls.length]).toEqual([true, 101, 1]);
  expect(told.mock.lastCall?.[0].messages.at(-1)?.seq).toBe(8);
});

it("of a server of before, which sends none, it is fetched as it was", async () => {
  newest = answering(151, 200, 7, { more: true });
  await hold();
  http.mockResolvedValue(page([sent(7)], { head: 200 }));
  await followers.find("general", 7);
  expect([log()?.snapshots.has(7), http.mock.calls.length]).toEqual([true, 1]);
});
