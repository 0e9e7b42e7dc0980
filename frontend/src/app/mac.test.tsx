import { fireEvent, render, screen } from "@testing-library/react";
import { MemoryRouter } from "react-router";
import { expect, it, vi } from "vitest";
import { createSession } from "@/features/auth/session";
import Welcome from "@/features/messages/timeline/Welcome";
import { clientOf } from "./client";
import ShortcutSheet from "./ShortcutSheet";
import { Sidebar } from "./Sidebar";
import { useKeys } from "./useKeys";

vi.hoisted(() => void vi.spyOn(navigator, "platform", "get").mockReturnValue("MacIntel"));
/** A socket that nobody answers. */
vi.mock("socket.io-client", () => ({ io: () => ({ connected: false, on() {}, connect() {}, disconnect() {} }) }));

const nothing = () => {};

it("on a Mac every key that is shown is one of its keyboard", () => {
  const session = createSession();
  const client = clientOf(session, { username: "ada", name: "Ada" });
  const counts = { generation: 1, head: 1, read: 1, unread: 0 };
  const general = { room: "general", name: "General", kind: "public" as const, ...counts };
  const { container } = render(
    <MemoryRouter>
      <Sidebar client={client} session={session} open={nothing} close={nothing} />
      <Welcome room={general} first={1} />
      <ShortcutSheet onClose={nothing} />
    </MemoryRouter>,
  );
  expect(screen.getByText("⌘K", { selector: "aside kbd" })).toBeTruthy();
  expect(screen.getByTitle("Keys (⌘/)")).toBeTruthy();
  const told = [...container.querySelectorAll("section kbd")].map(({ textContent }) => textContent);
  expect(told).toEqual(["⌘/", "⌘K", "↑"]);
  expect(screen.getByText(/This sheet/).previousElementSibling?.textContent).toBe("⌘/");
  expect(container.textContent).not.toContain("Ctrl");
});

it("on a Mac ⌘K goes to a room, and Ctrl-K is left to the field, where it cuts a line", () => {
  // This DOM does not know which dialogs are modal; none is open here.
  vi.spyOn(document, "querySelector").mockReturnValue(null);
  const open = vi.fn();
  const Keys = () => {
    useKeys(open);
    return null;
  };
  render(<Keys />);
  expect(fireEvent.keyDown(document.body, { key: "k", code: "KeyK", ctrlKey: true })).toBe(true);
  expect(open).not.toHaveBeenCalled();
  expect(fireEvent.keyDown(document.body, { key: "k", code: "KeyK", metaKey: true })).toBe(false);
  expect(open.mock.calls).toEqual([["switcher"]]);
});
