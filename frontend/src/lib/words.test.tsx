import { act, render, screen } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { copy } from "./copy";
import { timeOfDay } from "./dates";
import { Failure } from "./failure";
import { useWord } from "./useWord";

describe("a failure after which one has to wait", () => {
  const said = (message: string, retry_after_s?: number) =>
    new Failure({ code: "rate_limited", message, retry: true, retry_after_s }).message;

  it.each([
    ["Too many attempts. Please wait a little.", 400, "Too many attempts. Try again in 7 minutes."],
    ["The server is busy. Please try again in a moment.", 61, "The server is busy. Try again in 2 minutes."],
    ["That is enough for today.", 600, "That is enough for today. Try again in 10 minutes."],
    ["That was too fast. Please wait a moment.", 3, "That was too fast. Please wait a moment."],
    ["Too many attempts. Please wait a little.", undefined, "Too many attempts. Please wait a little."],
  ])("%s (%s s) says how long where that is long", (message, after_s, sentence) =>
    expect(said(message, after_s)).toBe(sentence),
  );
});

it("a time of day has no zero before it where the clock has twelve hours", () => {
  expect(timeOfDay(new Date(2026, 10, 29, 13, 6).getTime())).toMatch(/^1:06\sPM$/);
});

describe("copying", () => {
  afterEach(() => Reflect.deleteProperty(navigator, "clipboard"));
  const clipboard = (writeText: () => Promise<void>) =>
    Object.defineProperty(navigator, "clipboard", { value: { writeText }, configurable: true });

  it("is done when the clipboard has it", async () => {
    const write = vi.fn(() => Promise.resolve());
    clipboard(write);
    await copy("an address");
    expect(write).toHaveBeenCalledWith("an address");
  });

  it("says so where the browser refuses, and where there is no clipboard", async () => {
    await expect(copy("an address")).rejects.toMatchObject({ code: "not_copied" });
    clipboard(() => Promise.reject(new DOMException("no", "NotAllowedError")));
    await expect(copy("an address")).rejects.toMatchObject({ code: "not_copied" });
  });
});

it("a word is there for a moment, and another one when it is said again", () => {
  vi.useFakeTimers();
  try {
    let say = (_text: string) => {};
    const Saying = () => {
      const [word, said] = useWord();
      say = said;
      return <p role="status">{word}</p>;
    };
    render(<Saying />);
    const status = screen.getByRole("status");
    expect(status.textContent).toBe("");
    act(() => say("Link copied"));
    const first = status.firstElementChild;
    expect(status.textContent).toBe("Link copied");
    act(() => say("Link copied"));
    expect([status.textContent, status.firstElementChild === first]).toEqual(["Link copied", false]);
    act(() => vi.advanceTimersByTime(5_000));
    expect(status.textContent).toBe("");
  } finally {
    vi.useRealTimers();
  }
});
