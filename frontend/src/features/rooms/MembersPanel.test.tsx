import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Failure } from "@/lib/failure";
import { keepFocus } from "@/lib/keepFocus";
import type { Member, Room } from "@/types/protocol";
import MembersPanel from "./MembersPanel";
import type { Rooms } from "./rooms";

let members: Member[];
let invited: string[];
let left: (string | undefined)[];
let stop: () => void;
const onLeft = vi.fn();
const garden: Room = {
  room: "garden", name: "Garden", kind: "private", owner: "ada", generation: 1, head: 3, read: 3, unread: 0,
};
const button = (name: string) => screen.getByRole("button", { name });

beforeEach(async () => {
  stop = keepFocus();
  members = ["Ada", "Grace", "Linus"].map((name) => ({ username: name.toLowerCase(), name }));
  [invited, left] = [[], []];
  onLeft.mockClear();
  members = members.map((one) => (one.name === "Linus" ? { ...one, next: true } : one));
  const rooms = {
    members: () => Promise.resolve([...members]),
    remove: (_room: string, username: string) =>
      Promise.resolve((members = members.filter((one) => one.username !== username))),
    invite: (_room: string, username: string) => Promise.resolve(invited.push(username)),
    leave: (_room: string, successor?: string) =>
      members.some(({ username }) => username === successor)
        ? Promise.resolve(void left.push(successor))
        : Promise.reject(new Failure({ code: "user_not_found", message: "There is nobody.", retry: false })),
  } as unknown as Rooms;
  render(<MembersPanel room={garden} me="ada" rooms={rooms} onLeft={onLeft} onClose={() => {}} />);
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

it("asks its owner who owns the room then, beginning with who has been here longest", async () => {
  await userEvent.click(button("Leave room"));
  const heirs = screen.getByRole<HTMLSelectElement>("combobox", { name: "Who owns this room then?" });
  expect([heirs.value, [...heirs.options].map(({ text }) => text)]).toEqual(["linus", ["Grace", "Linus"]]);
  await userEvent.click(button("Leave it"));
  await userEvent.selectOptions(heirs, "Grace");
  await userEvent.click(button("Leave it"));
  expect(left).toEqual(["linus", "grace"]);
  expect(onLeft).toHaveBeenCalledTimes(2);
});

it("says so when who was to own it has gone meanwhile, and offers who is there", async () => {
  await userEvent.click(button("Leave room"));
  members = members.filter(({ name }) => name !== "Linus").map((one) => ({ ...one, next: one.name === "Grace" }));
  await userEvent.click(button("Leave it"));
  expect(await screen.findByText("There is nobody.")).toBeTruthy();
  await waitFor(() => expect(screen.getByRole<HTMLSelectElement>("combobox").value).toBe("grace"));
  expect(left).toEqual([]);
});
