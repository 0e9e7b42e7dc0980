import { fireEvent, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import { readDraft, writeDraft } from "@/lib/drafts";
import { Composer } from "./Composer";

function open() {
  const send = vi.fn((_text: string) => {});
  const props = {
    user: "ada", room: "general", roomName: "general", replyTo: null, cancelReply: vi.fn(), send, editLast: vi.fn(),
    typed: vi.fn(),
    stopped: vi.fn(),
  };
  render(<Composer {...props} />);
  return {
    ...props, field: screen.getByRole<HTMLTextAreaElement>("textbox", { name: "Message" }), user: userEvent.setup(),
  };
}

describe("the message field", () => {
  it("sends on Enter and is empty afterwards", async () => {
    const { user, field, send } = open();
    await user.type(field, "hello{Enter}");
    expect([send.mock.calls, field.value]).toEqual([[["hello"]], ""]);
  });

  it("breaks the line on Shift-Enter", async () => {
    const { user, field, send } = open();
    await user.type(field, "one{Shift>}{Enter}{/Shift}two");
    expect([send.mock.calls.length, field.value]).toEqual([0, "one\ntwo"]);
  });

  it("leaves Enter to an input method that is composing", () => {
    const { field, send } = open();
    fireEvent.change(field, { target: { value: "にほん" } });
    fireEvent.keyDown(field, { key: "Enter", isComposing: true });
    expect(send).not.toHaveBeenCalled();
    fireEvent.keyDown(field, { key: "Enter" });
    expect(send).toHaveBeenCalledWith("にほん");
  });

  it("sends nothing that is only space", async () => {
    const { user, field, send } = open();
    await user.type(field, "  {Enter}");
    expect(send).not.toHaveBeenCalled();
  });

  it("edits the last message on ArrowUp, but only when empty", async () => {
    const { user, field, editLast } = open();
    await user.type(field, "{ArrowUp}");
    expect(editLast).toHaveBeenCalledTimes(1);
    await user.type(field, "x{ArrowUp}");
    expect(editLast).toHaveBeenCalledTimes(1);
  });

  it("tells who types, and that they stopped", async () => {
    const { user, field, typed, stopped } = open();
    await user.type(field, "a");
    expect([typed.mock.calls.length, stopped.mock.calls.length]).toEqual([1, 0]);
    await user.clear(field);
    expect(stopped).toHaveBeenCalled();
  });
});

describe("where the keys are on the screen", () => {
  const touch = () =>
    vi.spyOn(window, "matchMedia").mockImplementation((media) =>
      ({ matches: media === "(pointer: coarse)", media }) as MediaQueryList);

  it("Enter is a new line, and the arrow sends", async () => {
    touch();
    const { user, field, send } = open();
    await user.type(field, "one{Enter}two");
    expect([send.mock.calls.length, field.value, field.getAttribute("enterkeyhint")]).toEqual([0, "one\ntwo", "enter"]);
    await user.click(screen.getByRole("button", { name: "Send" }));
    expect([send.mock.calls, document.activeElement === field]).toEqual([[["one\ntwo"]], true]);
  });

  it("so do Control and Enter of a keyboard that is there", async () => {
    touch();
    const { user, field, send } = open();
    await user.type(field, "one{Control>}{Enter}{/Control}");
    expect(send.mock.calls).toEqual([["one"]]);
  });
});

it("what indents the first line is sent with it, what is blank around it is not", () => {
  const { field, send } = open();
  for (const text of ["\n  \n    if (a)\n      b();\n\n", "  two", "\tthree  "]) {
    fireEvent.change(field, { target: { value: text } });
    fireEvent.keyDown(field, { key: "Enter" });
  }
  expect(send.mock.calls).toEqual([["    if (a)\n      b();"], ["  two"], ["\tthree"]]);
});

it("an answer that began before the page was loaded takes no focus; one that begins now does", () => {
  const to = { seq: 3, name: "Grace", text: "lunch?" };
  const props = {
    user: "ada", room: "general", roomName: "general", cancelReply: vi.fn(), send: vi.fn(), editLast: vi.fn(),
    typed: vi.fn(), stopped: vi.fn(),
  };
  const { rerender } = render(<Composer {...props} replyTo={to} />);
  expect([document.activeElement, screen.getByText("Grace")]).toEqual([document.body, expect.anything()]);
  rerender(<Composer {...props} replyTo={{ ...to, seq: 4 }} />);
  expect(document.activeElement).toBe(screen.getByRole("textbox", { name: "Message" }));
});

describe("the draft", () => {
  it("is there again after a reload", () => {
    writeDraft("ada", "general", "half a thought");
    expect(open().field.value).toBe("half a thought");
  });

  it("belongs to one person and one room", () => {
    writeDraft("grace", "general", "hers");
    writeDraft("ada", "design", "elsewhere");
    expect(open().field.value).toBe("");
  });

  it("is gone when the message is taken over, not a moment later: a page that ends has it in one place", async () => {
    const { user, field, send } = open();
    await user.type(field, "hello{Enter}next");
    expect([send.mock.calls, readDraft("ada", "general")]).toEqual([[["hello"]], "next"]);
  });
});

describe("the limit", () => {
  it("is counted down near the end", () => {
    const { field } = open();
    fireEvent.change(field, { target: { value: "a".repeat(3_990) } });
    expect(screen.getByText("10 left")).toBeTruthy();
  });

  it("says so plainly beyond it, keeps the text and does not send", () => {
    const { field, send } = open();
    fireEvent.change(field, { target: { value: "a".repeat(4_003) } });
    fireEvent.keyDown(field, { key: "Enter" });
    expect(screen.getByRole("alert").textContent).toBe("A message has at most 4,000 characters. 3 too many.");
    expect([send.mock.calls.length, field.value.length]).toEqual([0, 4_003]);
  });
});
