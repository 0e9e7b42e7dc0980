import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { beforeEach, expect, it, vi } from "vitest";
import { Boundary, partly } from "./Boundary";
import { PanelBoundary } from "./PanelBoundary";

function Part({ text }: { text: string | null }) {
  if (text === null) throw new Error("nothing to show");
  return <p>{text}</p>;
}
const instead = partly("The part");

beforeEach(() => void vi.spyOn(console, "error").mockImplementation(() => {}));

it("a part that cannot be shown says so, and the rest lives", () => {
  render(<><Boundary instead={instead}><Part text={null} /></Boundary><Part text="beside it" /></>);
  expect(screen.getByRole("alert").textContent).toContain("The part cannot be shown.");
  expect(screen.getByText("beside it")).toBeTruthy();
});

it("is tried again when it is to show something else, and when somebody asks", async () => {
  const shown = (text: string | null, of: unknown) => (
    <Boundary instead={instead} of={of}>
      <Part text={text} />
    </Boundary>
  );
  const { rerender } = render(shown(null, 1));
  rerender(shown("mended", 1));
  expect(screen.queryByText("mended")).toBeNull();
  await userEvent.setup().click(screen.getByRole("button", { name: "Try again" }));
  expect(screen.getByText("mended")).toBeTruthy();
  rerender(shown(null, 2));
  expect(screen.getByRole("alert")).toBeTruthy();
  rerender(shown("mended", 3));
  expect(screen.getByText("mended")).toBeTruthy();
});

it("a panel that cannot be shown can be closed, and opened again", async () => {
  function Page() {
    const [text, setText] = useState<string | null>(null);
    const [open, setOpen] = useState(true);
    return (
      <>
        <PanelBoundary key={String(open)} onClose={() => setOpen(false)}>{open && <Part text={text} />}</PanelBoundary>
        <button type="button" onClick={() => { setText("whole"); setOpen(true); }}>Open</button>
      </>
    );
  }
  const user = userEvent.setup();
  render(<Page />);
  expect(screen.getByRole("dialog").textContent).toContain("This panel cannot be shown.");
  await user.click(screen.getByRole("button", { name: "Close it" }));
  expect(screen.queryByRole("dialog")).toBeNull();
  await user.click(screen.getByRole("button", { name: "Open" }));
  expect(screen.getByText("whole")).toBeTruthy();
});
