import { fireEvent, render, screen } from "@testing-library/react";
import { MemoryRouter } from "react-router";
import { beforeEach, expect, it, vi } from "vitest";
import { Composer } from "@/features/messages/composer/Composer";
import EditMessage from "@/features/messages/message/EditMessage";
import { SentMessage } from "@/features/messages/message/SentMessage";
import QuickSwitcher from "@/features/rooms/QuickSwitcher";
import { createStore } from "@/lib/store";
import { message } from "@/testing/messages";
import { useKeys } from "./useKeys";

// This DOM does not know which dialogs are modal; none is open here.
beforeEach(() => void vi.spyOn(document, "querySelector").mockReturnValue(null));

/** Enter as Safari tells of it behind a composition: it says that nothing is composed. */
const ENTER_OF_A_COMPOSITION = { key: "Enter", keyCode: 229, isComposing: false };

function composer(done: () => void) {
  const nothing = () => {};
  render(
    <Composer user="ada" room="general" roomName="General" replyTo={null} cancelReply={nothing} send={done}
      editLast={nothing} typed={nothing} stopped={nothing} />,
  );
  fireEvent.change(screen.getByRole("textbox"), { target: { value: "にほん" } });
  return screen.getByRole("textbox");
}

function edit(done: () => void) {
  render(<EditMessage text="に" kept={undefined} keep={() => {}} save={async () => done()} close={() => {}} />);
  fireEvent.change(screen.getByRole("textbox"), { target: { value: "にほん" } });
  return screen.getByRole("textbox");
}

function switcher(done: () => void) {
  const room = { room: "general", name: "General", kind: "public", generation: 1, head: 1, read: 1, unread: 0 };
  const rooms = {
    list: createStore({ rooms: new Map([["general", room]]), joinable: [], loaded: true, stale: false }),
    failure: createStore(null),
    refetch: async () => true,
    ask: async () => true,
  } as unknown as Parameters<typeof QuickSwitcher>[0]["rooms"];
  render(<QuickSwitcher rooms={rooms} onPick={done} onClose={() => {}} />);
  return screen.getByRole("combobox", { hidden: true });
}

it.each([["message", composer], ["edit", edit], ["switcher", switcher]])(
  "the %s field takes no Enter that an input method has, also behind the composition",
  (_, show) => {
    const done = vi.fn();
    const field = show(done);
    fireEvent.keyDown(field, ENTER_OF_A_COMPOSITION);
    expect(done).not.toHaveBeenCalled();
    fireEvent.keyDown(field, { key: "Enter", keyCode: 13 });
    expect(done).toHaveBeenCalledTimes(1);
  },
);

const Keys = ({ open }: { open(panel: string): void }) => {
  useKeys(open);
  return null;
};

it.each([
  ["Russian", { key: "л", code: "KeyK" }],
  ["Greek", { key: "κ", code: "KeyK" }],
  ["Hebrew", { key: "ל", code: "KeyK" }],
  ["Dvorak", { key: "k", code: "KeyV" }],
  ["US, Caps Lock", { key: "K", code: "KeyK" }],
])("Ctrl-K of a %s layout goes to a room", (_, key) => {
  const open = vi.fn();
  render(<Keys open={open} />);
  expect(fireEvent.keyDown(document.body, { ...key, ctrlKey: true })).toBe(false);
  expect(open.mock.calls).toEqual([["switcher"]]);
});

it.each([
  ["Dvorak, which has a T there", { key: "t", code: "KeyK" }],
  ["Turkish F, which has an L there", { key: "l", code: "KeyK" }],
])("the key at K's place of a %s stays what it is", (_, key) => {
  const open = vi.fn();
  render(<Keys open={open} />);
  expect(fireEvent.keyDown(document.body, { ...key, ctrlKey: true })).toBe(true);
  expect(open).not.toHaveBeenCalled();
});

it("the sheet of keys opens on an Arabic layout too, and R of a Russian one replies", () => {
  const [open, reply] = [vi.fn(), vi.fn()];
  const handlers = { reply, wishes: createStore({}) } as unknown as Parameters<typeof SentMessage>[0]["handlers"];
  render(
    <MemoryRouter>
      <Keys open={open} />
      <SentMessage message={message(7)} startsGroup mine active entered editing={false} highlighted={false}
        quoted={undefined} handlers={handlers} />
    </MemoryRouter>,
  );
  fireEvent.keyDown(document.body, { key: "؟", code: "Slash", shiftKey: true });
  expect(open.mock.calls).toEqual([["keys"]]);
  fireEvent.keyDown(screen.getByRole("article"), { key: "к", code: "KeyR" });
  expect(reply).toHaveBeenCalledTimes(1);
});
