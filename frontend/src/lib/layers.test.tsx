import { act, render } from "@testing-library/react";
import { useState } from "react";
import { afterEach, expect, it, vi } from "vitest";
import { isCovered, useLayer } from "./layers";

const WITHIN = { timeout: 30_000 };
let show: (which: string | null) => void;

function Layer({ close }: { close(): void }) {
  useLayer(true, close);
  return null;
}

function Page() {
  const [which, setWhich] = useState<string | null>(null);
  show = (next) => act(() => setWhich(next));
  return which ? <><p>{which}</p><Layer key={which} close={() => setWhich(null)} /></> : <p>nothing</p>;
}

const settled = () => act(async () => void (await Promise.resolve()));
const back = () => act(async () => history.back());
afterEach(async () => {
  show(null);
  await vi.waitFor(() => expect(history.state?.layers ?? 0).toBe(0), WITHIN);
});

it("Back closes what is open, and only that", async () => {
  const { container } = render(<Page />);
  const entries = history.length;
  show("a dialog");
  await settled();
  expect([history.length, isCovered()]).toEqual([entries + 1, true]);
  await back();
  await vi.waitFor(() => expect(container.textContent).toBe("nothing"), WITHIN);
  expect(isCovered()).toBe(false);
});

it("what is closed otherwise leaves no entry to go back over, and what is opened at once then has one", async () => {
  const { container } = render(<Page />);
  show("a dialog");
  await settled();
  show(null);
  await settled();
  show("another");
  await vi.waitFor(() => expect(history.state?.layers).toBe(1), WITHIN);
  await act(() => new Promise((done) => setTimeout(done)));
  expect([container.textContent, history.state?.layers]).toEqual(["another", 1]);
  await back();
  await vi.waitFor(() => expect(container.textContent).toBe("nothing"), WITHIN);
});

it("one that gives way to another is one step", async () => {
  render(<Page />);
  show("a dialog");
  await settled();
  const entries = history.length;
  show("another");
  await settled();
  expect([history.length, history.state?.layers]).toEqual([entries, 1]);
});

it("an address that is gone to from there is gone back from to the page, not to what lay over it", async () => {
  render(<Page />);
  show("a dialog");
  await settled();
  history.replaceState({ key: "elsewhere" }, ""); // as the router does where isCovered()
  show(null);
  await settled();
  expect([history.state, isCovered()]).toEqual([{ key: "elsewhere" }, false]);
});
