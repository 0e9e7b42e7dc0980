import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";
import Welcome from "@/features/messages/timeline/Welcome";
import type { Room } from "@/types/protocol";
import ShortcutSheet from "./ShortcutSheet";
import { useKeys } from "./useKeys";

const general: Room = { room: "general", name: "General", kind: "public", generation: 1, head: 1, read: 1, unread: 0 };
// This DOM does not know which dialogs are modal; none is open here.
vi.spyOn(document, "querySelector").mockReturnValue(null);

it("the key that the beginning of a room tells of works where the focus is: in the message field", async () => {
  const open = vi.fn();
  const Keys = () => {
    useKeys(open);
    return <textarea aria-label="Message" />;
  };
  render(<><Keys /><Welcome room={general} first={1} /></>);
  expect(screen.getByText(/shows every key/).textContent).toBe("Ctrl / shows every key there is");
  const field = screen.getByLabelText<HTMLTextAreaElement>("Message");
  await userEvent.type(field, "so{Control>}/{/Control}?");
  expect([open.mock.calls, field.value]).toEqual([[["keys"]], "so?"]);
  field.blur();
  await userEvent.keyboard("?");
  expect(open).toHaveBeenCalledTimes(2);
});

it("the sheet of keys names it too", () => {
  render(<ShortcutSheet onClose={() => {}} />);
  expect(screen.getByText(/This sheet/).previousElementSibling?.textContent).toBe("Ctrl/");
});
