import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { expect, it, vi } from "vitest";
import { Dialog } from "./Dialog";
import { Question } from "./Question";

function Page() {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" onClick={() => setOpen(true)}>Open</button>
      {open && <Dialog title="Rooms" onClose={() => setOpen(false)}><input aria-label="Filter" /></Dialog>}
    </>
  );
}

it("a dialog takes the focus, and gives it back to where it was", async () => {
  const user = userEvent.setup();
  render(<Page />);
  const opener = screen.getByRole("button", { name: "Open" });
  await user.click(opener);
  expect(document.activeElement).toBe(screen.getByLabelText("Filter"));
  await user.click(screen.getByRole("button", { name: "Close" }));
  expect(screen.queryByRole("dialog")).toBeNull();
  expect(document.activeElement).toBe(opener);
});

it("Escape at a question answers the question and is heard by nothing else", async () => {
  const [no, others] = [vi.fn(), vi.fn()];
  const prevented: boolean[] = [];
  const afterwards = (event: KeyboardEvent) => void setTimeout(() => prevented.push(event.defaultPrevented));
  window.addEventListener("keydown", afterwards, { capture: true, once: true });
  render(
    <div onKeyDown={others}>
      <Question label="Leave?" no={no}>
        <button type="button">Leave it</button>
      </Question>
    </div>,
  );
  expect(document.activeElement).toBe(screen.getByRole("button", { name: "Leave it" }));
  await userEvent.keyboard("{Escape}");
  expect([no.mock.calls.length, others.mock.calls.length]).toEqual([1, 0]);
  await vi.waitFor(() => expect(prevented).toEqual([true])); // or a browser closes the dialog around it
});
