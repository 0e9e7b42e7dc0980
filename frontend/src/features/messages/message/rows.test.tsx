import { act, cleanup, render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { MemoryRouter } from "react-router";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { OutboxItem } from "@/features/messages/outbox/items";
import type { Wishes } from "@/features/messages/reactions/wishes";
import { Failure } from "@/lib/failure";
import { createStore } from "@/lib/store";
import { message } from "@/testing/messages";
import type { Message } from "@/types/protocol";
import { chosen } from "./chosen";
import type { MessageHandlers } from "./handlers";
import { MessageText } from "./MessageText";
import { PendingMessage } from "./PendingMessage";
import { SentMessage } from "./SentMessage";

afterEach(() => chosen.set(null));

const handlers = (): MessageHandlers => ({
  edit: vi.fn(() => Promise.resolve()),
  remove: vi.fn(() => Promise.resolve()),
  reply: vi.fn(), copyLink: vi.fn(), jump: vi.fn(), setEditing: vi.fn(), find: vi.fn(), react: vi.fn(),
  kept: vi.fn(), keep: vi.fn(),
  wishes: createStore<Wishes>({}),
  who: vi.fn(() => Promise.resolve({ "👍": ["Linus", "you"], "🎉": ["Linus"] })),
});

function showSent(part: Partial<Message> = {}, more: Partial<Parameters<typeof SentMessage>[0]> = {}) {
  const did = handlers();
  const props = {
    message: message(7, part), startsGroup: true, mine: true, active: true, entered: true, editing: false,
    highlighted: false, quoted: undefined, handlers: did,
  };
  render(<MemoryRouter><SentMessage {...props} {...more} /></MemoryRouter>);
  return { did, article: screen.getByRole("article"), user: userEvent.setup() };
}

const pending = (part: Partial<OutboxItem>): OutboxItem => ({
  user: "ada", room: "general", client_id: "p1", text: "on its way", order: 1, state: "queued", ...part,
});

function showPending(part: Partial<OutboxItem>) {
  const did = { retry: vi.fn(), remove: vi.fn() };
  const element = (now: Partial<OutboxItem>) => <PendingMessage item={pending(now)} name="Ada" startsGroup {...did} />;
  const { rerender } = render(element(part));
  const show = (now: Partial<OutboxItem>) => rerender(element(now));
  return { ...did, show, article: screen.getByRole("article"), user: userEvent.setup() };
}

describe("a message on its way", () => {
  it.each(["queued", "sending"] as const)("has no time while %s: the time is the receipt", (state) => {
    const { article } = showPending({ state });
    expect([article.textContent, article.dataset.state, article.dataset.clientId]).toEqual([
      "AAdaon its way",
      state,
      "p1",
    ]);
  });

  it.each(["queued", "sending"] as const)("says that it waits when it is still %s after some seconds", (state) => {
    vi.useFakeTimers();
    try {
      const { article, show } = showPending({ state });
      act(() => vi.advanceTimersByTime(3_000));
      expect(screen.queryByText("Waiting to be sent")).toBeNull();
      act(() => vi.advanceTimersByTime(2_000));
      expect(screen.getByText("Waiting to be sent")).toBeTruthy();
      expect(article.getAttribute("aria-label")).toMatch(/^Ada, waiting to be sent\. /);
      show({ state: "sent", message: message(9) });
      expect(screen.queryByText("Waiting to be sent")).toBeNull();
    } finally {
      vi.useRealTimers();
    }
  });

  it("has its time once the server has it", () => {
    const { article } = showPending({ state: "sent", message: message(9) });
    expect(article.textContent).toMatch(/\d:\d\d/);
    expect(article.dataset.seq).toBe("9");
  });

  it("that failed says why, and can be sent again or deleted", async () => {
    const { retry, remove, user } = showPending({
      state: "failed",
      failed: { code: "text_too_long", message: "A message has at most 4,000 characters." },
    });
    expect(screen.getByRole("alert").textContent).toContain("Not sent. A message has at most 4,000 characters.");
    await user.click(screen.getByRole("button", { name: "Try again" }));
    await user.click(screen.getByRole("button", { name: "Delete" }));
    expect([retry.mock.calls, remove.mock.calls]).toEqual([[["p1"]], [["p1"]]]);
  });
});

describe("a message", () => {
  it("can be found by its number and its client_id", () => {
    const { article } = showSent();
    expect([article.dataset.seq, article.dataset.clientId]).toEqual(["7", "c7"]);
  });

  it("has its time as the permalink", () => {
    const { article } = showSent();
    expect(within(article).getByRole("link").getAttribute("href")).toBe("/r/general/7");
  });

  it("is plain text, whatever it contains", () => {
    const { article } = showSent({ text: "<img src=x onerror=alert(1)> & <b>bold</b>" });
    expect(article.querySelector("img, b")).toBeNull();
    expect(screen.getByTestId("message-text").textContent).toBe("<img src=x onerror=alert(1)> & <b>bold</b>");
  });

  it("that was edited says so", () => {
    showSent({ edited_at_ms: 1 });
    expect(screen.getByText("edited")).toBeTruthy();
  });

  it("that was deleted leaves a quiet place, and nothing to do", () => {
    const { article } = showSent({ deleted: true, text: "" });
    expect(article.textContent).toContain("This message was deleted.");
    expect(within(article).queryAllByRole("button")).toEqual([]);
  });

  it("offers its actions to a pointer over it, and to a finger that has touched it", async () => {
    const { article, user } = showSent({}, { active: false, entered: false });
    const offered = () => within(article).queryAllByRole("button").length;
    expect(offered()).toBe(0);
    await user.hover(article);
    expect(offered()).toBe(5);
    await user.unhover(article);
    expect(offered()).toBe(0);
    await user.pointer([{ keys: "[TouchA]", target: article }]);
    expect(offered()).toBe(5);
    await user.pointer([{ keys: "[TouchA]", target: article }]);
    expect(offered()).toBe(0);
  });

  it("that a finger has touched has its actions below, with the time; touching another one ends that", async () => {
    const { article, user } = showSent({}, { active: false, startsGroup: false });
    const times = () => within(article).getAllByRole("link", { hidden: true }).length;
    expect(times()).toBe(1);
    await user.pointer([{ keys: "[TouchA]", target: article }]);
    expect([times(), article.querySelector(".bar"), article.querySelector(".below") !== null]).toEqual([2, null, true]);
    act(() => chosen.set("general 8"));
    expect(times()).toBe(1);
  });

  it("of mine can be deleted after a question", async () => {
    const { did, user } = showSent();
    await user.click(screen.getByRole("button", { name: "Delete" }));
    expect(did.remove).not.toHaveBeenCalled();
    await user.click(await screen.findByRole("button", { name: "Delete it" }));
    expect(did.remove).toHaveBeenCalledTimes(1);
  });

  it("keeps the focus when the question is answered with no", async () => {
    const { article, user } = showSent();
    await user.click(screen.getByRole("button", { name: "Delete" }));
    await user.click(await screen.findByRole("button", { name: "Keep it" }));
    expect(document.activeElement).toBe(article);
  });

  it("says why it could not be deleted", async () => {
    const did = {
      ...handlers(),
      remove: () => Promise.reject(new Failure({ code: "busy", message: "The server is busy.", retry: true })),
    };
    const { user } = showSent({}, { handlers: did });
    await user.click(screen.getByRole("button", { name: "Delete" }));
    await user.click(await screen.findByRole("button", { name: "Delete it" }));
    expect((await screen.findByRole("alert")).textContent).toBe("The server is busy.");
  });

  it("of somebody else offers neither edit nor delete, by mouse or by key", async () => {
    const { article, did, user } = showSent({}, { mine: false });
    expect(screen.queryByRole("button", { name: "Delete" })).toBeNull();
    await import("./DeleteQuestion"); // or it would not be there yet
    article.focus();
    await user.keyboard("e{Delete}");
    await screen.findByRole("article");
    expect(did.setEditing).not.toHaveBeenCalled();
    expect(screen.queryByText(/for everybody/)).toBeNull();
  });

  it("answers to keys when it has the focus", async () => {
    const { article, did, user } = showSent();
    article.focus();
    await user.keyboard("r");
    await user.keyboard("e");
    expect([did.reply, did.setEditing].map((handler) => vi.mocked(handler).mock.calls.length)).toEqual([1, 1]);
  });

  it("shows what it answers, and leads there", async () => {
    const { did, user } = showSent({ reply_to: 3 }, { quoted: message(3, { name: "Linus", text: "first\nline" }) });
    await user.click(screen.getByRole("button", { name: /^Linus ?: first line$/ }));
    expect(did.jump).toHaveBeenCalledWith(3);
  });
});

describe("reactions", () => {
  const reacted: Partial<Message> = { reactions: { "👍": 2, "🎉": 1 }, mine: ["👍"] };
  const pills = () => within(screen.getByRole("group", { name: "Reactions" })).getAllByRole("button");

  it("stand under the message, mine pressed", () => {
    showSent(reacted);
    expect(pills().map((pill) => [pill.textContent, pill.getAttribute("aria-pressed")])).toEqual([
      ["👍 2", "true"],
      ["🎉 1", "false"],
    ]);
  });

  it.each([{}, { ...reacted, deleted: true }])("are not there without any, nor under a deleted message", (part) => {
    showSent(part);
    expect(screen.queryByRole("group", { name: "Reactions" })).toBeNull();
  });

  it("are added and taken back by a click", async () => {
    const { did, user } = showSent(reacted);
    for (const pill of pills()) await user.click(pill);
    expect(vi.mocked(did.react).mock.calls.map(([, ...what]) => what)).toEqual([["👍", false], ["🎉", true]]);
  });

  it("show what is wished before it is true", () => {
    showSent(reacted, {
      handlers: {
        ...handlers(),
        wishes: createStore<Wishes>({
          "general 7": { "👍": { wanted: false, others: 1 }, "🚀": { wanted: true, others: 0 } },
        }),
      },
    });
    expect(pills().map((pill) => [pill.textContent, pill.getAttribute("aria-pressed")])).toEqual([
      ["👍 1", "false"], ["🎉 1", "false"], ["🚀 1", "true"],
    ]);
  });

  it("tell whose they are to who looks, asked for then and not before", async () => {
    const { did, user } = showSent(reacted);
    expect(did.who).not.toHaveBeenCalled();
    await user.hover(pills()[0] as HTMLElement);
    expect((await screen.findByRole("tooltip")).textContent).toBe("Linus and you");
    await user.hover(pills()[1] as HTMLElement);
    expect((await screen.findByRole("tooltip")).textContent).toBe("Linus");
    await user.unhover(pills()[1] as HTMLElement);
    expect([screen.queryByRole("tooltip"), vi.mocked(did.who).mock.calls.length]).toEqual([null, 1]);
  });

  it("leave the focus with the message when the last one goes", async () => {
    const { article, user } = showSent({ reactions: { "👍": 1 }, mine: ["👍"] });
    await user.click(pills()[0] as HTMLElement);
    expect(document.activeElement).toBe(article);
  });

  it("are picked from a palette, by mouse or by key", async () => {
    const { article, did, user } = showSent(reacted);
    await user.click(screen.getByRole("button", { name: "Add reaction" }));
    await user.click(await screen.findByRole("button", { name: "Rocket" }));
    article.focus();
    await user.keyboard("+");
    await screen.findByRole("dialog", { name: "Pick a reaction" });
    await user.keyboard("{ArrowDown}{ArrowRight}{ArrowRight}{Enter}");
    expect(vi.mocked(did.react).mock.calls.map(([, ...what]) => what)).toEqual([["🚀", true], ["🔥", true]]);
    expect(document.activeElement).toBe(screen.getByRole("button", { name: "Add reaction" }));
  });

  it("that are mine are taken back by picking them again", async () => {
    const { did, user } = showSent(reacted);
    await user.click(screen.getByRole("button", { name: "Add reaction" }));
    await user.click(await screen.findByRole("button", { name: "Thumbs up", pressed: true }));
    expect(vi.mocked(did.react).mock.calls[0]?.slice(1)).toEqual(["👍", false]);
  });

  it("need not be picked: Escape leaves the palette", async () => {
    const { did, user } = showSent(reacted);
    await user.click(screen.getByRole("button", { name: "Add reaction" }));
    await screen.findByRole("dialog");
    await user.keyboard("{Escape}");
    expect([screen.queryByRole("dialog"), vi.mocked(did.react).mock.calls.length]).toEqual([null, 0]);
    expect(document.activeElement).toBe(screen.getByRole("button", { name: "Add reaction" }));
  });
});

describe("editing", () => {
  it("saves on Enter and leaves everything on Escape", async () => {
    const { did, user } = showSent({ text: "tpyo" }, { editing: true });
    const field = await screen.findByRole("textbox", { name: "Edit text" });
    expect(document.activeElement).toBe(field);
    await user.clear(field);
    await user.type(field, "typo{Enter}");
    expect(vi.mocked(did.edit).mock.calls[0]?.[1]).toBe("typo");
    expect(did.setEditing).toHaveBeenCalledWith(null);
  });

  it("does not save what has not changed", async () => {
    const { did, user } = showSent({ text: "same" }, { editing: true });
    await screen.findByRole("textbox", { name: "Edit text" });
    await user.keyboard("{Enter}");
    expect([vi.mocked(did.edit).mock.calls.length, vi.mocked(did.setEditing).mock.calls]).toEqual([0, [[null]]]);
  });

  it("stays open with the reason when it is refused", async () => {
    const did = {
      ...handlers(),
      edit: () =>
        Promise.reject(new Failure({ code: "message_deleted", message: "That message was deleted.", retry: false })),
    };
    const { user } = showSent({ text: "tpyo" }, { editing: true, handlers: did });
    await screen.findByRole("textbox", { name: "Edit text" });
    await user.keyboard("!{Enter}");
    expect((await screen.findByText("That message was deleted.")).getAttribute("role")).toBe("alert");
    expect(did.setEditing).not.toHaveBeenCalled();
  });
});

it("an edit that was not saved is there again as it was typed, and takes no focus by itself", async () => {
  const did = { ...handlers(), kept: () => "what I had typed" };
  const { user } = showSent({ text: "tpyo" }, { editing: true, handlers: did });
  const field = await screen.findByRole("textbox", { name: "Edit text" });
  expect(field).toHaveProperty("value", "what I had typed");
  expect(document.activeElement).toBe(document.body);
  await user.type(field, "!");
  expect(did.keep).toHaveBeenCalledExactlyOnceWith(7, "what I had typed!");
});

describe("a very tall message", () => {
  it("is cut until somebody wants more", async () => {
    render(<MessageText text={"line\n".repeat(40)} />);
    const more = screen.getByRole("button", { name: "Show more" });
    expect(screen.getByTestId("message-text").className).toContain("cut");
    await userEvent.click(more);
    expect(screen.getByTestId("message-text").className).not.toContain("cut");
  });
});

it("a message of which only the number is known is looked for, and says what it says when it is found", () => {
  const { did } = showSent({ reply_to: 3 });
  expect(did.find).toHaveBeenCalledExactlyOnceWith(3);
  expect(screen.getByRole("button", { name: "An earlier message" })).toBeTruthy();
  cleanup();
  const { did: then } = showSent({ reply_to: 3 }, { quoted: message(3, { name: "Linus", text: "found" }) });
  expect(screen.getByRole("button", { name: /^Linus ?: found/ })).toBeTruthy();
  expect(then.find).not.toHaveBeenCalled();
});
