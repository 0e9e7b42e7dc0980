import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { keepFocus } from "@/lib/keepFocus";
import type { Room, User } from "@/types/protocol";
import MembersPanel from "./MembersPanel";
import type { Rooms } from "./rooms";

let members: User[];
let invited: string[];
let stop: () => void;
const garden: Room = {
  room: "garden", name: "Garden", kind: "private", owner: "ada", generation: 1, head: 3, read: 3, unread: 0,
};
const button = (name: string) => screen.getByRole("button", { name });

beforeEach(async () => {
  stop = keepFocus();
  members = ["Ada", "Grace", "Linus"].map((name) => ({ username: name.toLowerCase(), name }));
  invited = [];
  const rooms = {
    members: () => Promise.resolve([...members]),
    remove: (_room: string, username: string) =>
      Promise.resolve((members = members.filter((one) => one.username !== username))),
    invite: (_room: string, username: string) => Promise.resolve(invited.push(username)),
  } as unknown as Rooms;
  render(<MembersPanel room={garden} me="ada" rooms={rooms} onLeft={vi.fn()} onClose={() => {}} />);
  await screen.findByText("Linus");
});
afterEach(() => stop());

it("gives the focus to the next one when somebody was removed, and then to what follows", async () => {
  button("Remove Grace").focus();
  await userEvent.keyboard("{Enter}");
  expect(document.activeElement).toBe(button("Remove from the room"));
  await userEvent.keyboard("{Enter}");
  await waitFor(() => expect(screen.queryByText("Grace")).toBeNull());
  await waitFor(() => expect(document.activeElement).toBe(button("Remove Linus")));
  await userEvent.keyboard("{Enter}");
  await userEvent.keyboard("{Enter}");
  await waitFor(() => expect(document.activeElement).toBe(button("Leave room")));
});

it.each(["{Escape}", "{Tab}{Enter}"])(
  "gives the focus back to the button when its question is answered with no by %s",
  async (keys) => {
    button("Leave room").focus();
    await userEvent.keyboard("{Enter}");
    expect(document.activeElement).toBe(button("Leave it"));
    await userEvent.keyboard(keys);
    await waitFor(() => expect(document.activeElement).toBe(button("Leave room")));
  },
);

it.each([
  ["Grace", "Grace is in this room already."],
  ["linus", "Linus is in this room already."],
  ["ADA", "You are in this room already."],
])("says beside the field that %s is in the room, and invites nobody", async (name, sentence) => {
  await userEvent.type(screen.getByLabelText("Invite by name"), `${name}{Enter}`);
  expect((await screen.findByText(sentence)).closest("form")).toBe(
    screen.getByLabelText("Invite by name").closest("form"),
  );
  expect(invited).toEqual([]);
  await userEvent.clear(screen.getByLabelText("Invite by name"));
  await userEvent.type(screen.getByLabelText("Invite by name"), "margaret{Enter}");
  await waitFor(() => expect([invited, screen.queryByText(sentence)]).toEqual([["margaret"], null]));
});

it("removes nobody before it was asked, and nobody whose question is answered with no", async () => {
  await userEvent.click(button("Remove Grace"));
  const question = screen.getByRole("group", { name: "Remove Grace from Garden?" });
  expect(question.textContent).toMatch(/until somebody invites/);
  await userEvent.click(button("Keep"));
  expect(screen.queryByRole("group", { name: /^Remove/ })).toBeNull();
  expect(members.map(({ name }) => name)).toEqual(["Ada", "Grace", "Linus"]);
});
