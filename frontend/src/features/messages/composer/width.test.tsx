import { act, render, screen } from "@testing-library/react";
import { expect, it, vi } from "vitest";
import { writeDraft } from "@/lib/drafts";
import { Composer } from "./Composer";

it("the field is as tall as its text at whatever width it comes to have", async () => {
  let [width, resized] = [400, () => {}];
  vi.spyOn(Element.prototype, "clientWidth", "get").mockImplementation(() => width);
  // Of 8,000 px² of text.
  vi.spyOn(Element.prototype, "scrollHeight", "get").mockImplementation(() => 8_000 / width);
  vi.stubGlobal("ResizeObserver", class {
    constructor(told: () => void) {
      resized = told;
    }
    observe() {}
    disconnect() {
      resized = () => {};
    }
  });
  writeDraft("ada", "general", "quite a long message");
  const nothing = () => {};
  const { unmount } = render(
    <Composer user="ada" room="general" roomName="General" replyTo={null} cancelReply={nothing} send={nothing}
      editLast={nothing} typed={nothing} stopped={nothing} />,
  );
  const { style } = screen.getByRole("textbox");
  expect(style.height).toBe("20px");
  width = 200;
  act(resized);
  await vi.waitFor(() => expect(style.height).toBe("40px"));
  const frames = vi.spyOn(window, "requestAnimationFrame");
  act(resized); // by its new height alone
  expect(frames).not.toHaveBeenCalled();
  unmount();
  width = 100;
  resized();
  expect(frames).not.toHaveBeenCalled();
});
