import { act, fireEvent, render, screen } from "@testing-library/react";
import { MemoryRouter } from "react-router";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { PanelBoundary } from "@/components/ui/PanelBoundary";
import { SentMessage } from "@/features/messages/message/SentMessage";
import { lazy } from "@/lib/lazy";
import { createStore } from "@/lib/store";
import { message } from "@/testing/messages";

vi.mock("@/features/messages/message/DeleteQuestion", () => ({
  get default() {
    throw new TypeError("Failed to fetch dynamically imported module");
  },
}));

beforeEach(() => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});
afterEach(() => vi.useRealTimers());

/** The file of a panel, which is there or not. */
async function panel() {
  const file = { there: false, asked: 0 };
  const Panel = lazy(async () => {
    file.asked += 1;
    if (!file.there) throw new TypeError("Failed to fetch dynamically imported module");
    return { default: ({ says }: { says: string }) => <p>{says}</p> };
  });
  await act(async () => {
    render(
      <PanelBoundary onClose={() => {}}>
        <Panel says="here" />
      </PanelBoundary>,
    );
  });
  return { file };
}

const later = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));

it("a file that cannot be fetched at first is asked for again, and nobody notices", async () => {
  const { file } = await panel();
  file.there = true;
  await later(1_000);
  expect([screen.queryByRole("dialog"), screen.getByText("here").tagName, file.asked]).toEqual([null, "P", 2]);
});

it("one that cannot be fetched at all says so in a panel of its own, and comes when asked for again", async () => {
  const { file } = await panel();
  await later(3_000);
  await later(1_000);
  expect(file.asked).toBe(3);
  expect(screen.getByRole("alert").textContent).toMatch(/^This panel could not be fetched/);
  file.there = true;
  await act(async () => void fireEvent.click(screen.getByRole("button", { name: "Try again" })));
  await later(1_000);
  expect([screen.queryByRole("alert"), screen.getByText("here").tagName]).toEqual([null, "P"]);
});

it("its style sheets are asked for again too", async () => {
  const link = document.head.appendChild(document.createElement("link"));
  Object.assign(link, { rel: "stylesheet", href: "data:text/css,p{}" });
  await panel();
  await later(3_000);
  expect([link.isConnected, document.head.querySelectorAll("link").length]).toEqual([false, 1]);
  document.head.replaceChildren();
});

it("the message whose question cannot be fetched is still shown", async () => {
  const handlers = { wishes: createStore({}) } as unknown as Parameters<typeof SentMessage>[0]["handlers"];
  render(
    <MemoryRouter>
      <SentMessage message={message(7)} startsGroup mine active entered editing={false} highlighted={false}
        quoted={undefined} handlers={handlers} />
    </MemoryRouter>,
  );
  await act(async () => void fireEvent.keyDown(screen.getByRole("article"), { key: "Delete" }));
  await vi.waitFor(async () => {
    await later(1_000);
    expect(screen.getByRole("alert").textContent).toMatch(/^This panel could not be fetched/);
  }, { timeout: 20_000 });
  expect(screen.getByText("text 7")).toBeTruthy();
  fireEvent.click(screen.getByRole("button", { name: "Close it" }));
  expect([screen.queryByRole("alert"), document.activeElement]).toEqual([null, screen.getByRole("article")]);
});
