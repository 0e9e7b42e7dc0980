import { render, screen } from "@testing-library/react";
import { expect, it, vi } from "vitest";
import { createNames } from "@/features/messages/log/names";
import { message, page } from "@/testing/messages";
import type { Room } from "@/types/protocol";
import { RoomNote } from "./RoomNote";
import Welcome from "./Welcome";

const invited = { seq: 4, kind: "joined", user: "иван", name: "Иван", by: "ann" } as const;
const noted = () => document.querySelector("p")?.textContent;
const room = (part: Partial<Room> = {}): Room => ({
  room: "secret", name: "Secret", kind: "private", generation: 1, head: 9, read: 9, unread: 0, ...part,
});

it.each([
  [
    "a message of theirs",
    (names: ReturnType<typeof createNames>) => names.said(message(1, { author: "ann", name: "Ann" })),
  ],
  [
    "their coming",
    (names: ReturnType<typeof createNames>) => names.page(page([{ seq: 1, kind: "joined", user: "ann", name: "Ann" }])),
  ],
  ["the list of people", (names: ReturnType<typeof createNames>) => names.met({ username: "ann", name: "Ann" })],
])("an invitation names who gave it, as known from %s", (_, learn) => {
  const names = createNames();
  learn(names);
  render(<RoomNote entry={invited} names={names} />);
  expect(noted()).toBe("Иван was invited by Ann.");
});

it("an invitation by somebody of whom nothing is known names the key", () => {
  render(<RoomNote entry={invited} names={createNames()} />);
  expect(noted()).toBe("Иван was invited by ann.");
});

it("an owner's going says who owns the room from then on", () => {
  const names = createNames();
  names.met({ username: "ann", name: "Ann" });
  render(<RoomNote entry={{ seq: 5, kind: "left", user: "иван", name: "Иван", successor: "ann" }} names={names} />);
  expect(noted()).toBe("Иван left. Ann owns this room now.");
});

it("whoever sits at the server's own computer reads that its address leads nobody else here", () => {
  const open = { ...room(), room: "general", kind: "public" as const };
  const { unmount } = render(<Welcome room={open} first={1} />);
  expect(location.hostname).toBe("localhost");
  expect(screen.getByText(/This address works on this computer only:/)).toBeTruthy();
  unmount();
  vi.stubGlobal("location", new URL("https://chat.example.org/"));
  render(<Welcome room={open} first={1} />);
  expect(screen.getByText(/To invite somebody, share the address:/)).toBeTruthy();
  vi.unstubAllGlobals();
});

it.each([
  [1, 1, "This is the beginning of Secret", ""],
  [40, 40, "Secret", "You see what was said since you joined."],
  [1, 40, "Secret", "What was said earlier is not kept any more."],
])("who has been there from entry %s and may see from entry %s is welcomed with %s", (from, first, title, more) => {
  render(<Welcome room={room({ from })} first={first} />);
  expect(screen.getByRole("heading").textContent).toBe(title);
  if (more) expect(screen.getByText(more)).toBeTruthy();
});
