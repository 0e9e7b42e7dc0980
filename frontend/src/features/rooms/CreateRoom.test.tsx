import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";
import { Failure, offline } from "@/lib/failure";
import CreateRoom from "./CreateRoom";

const refused = (code: string) => new Failure({ code, message: "No.", retry: false });

it.each([
  ["room_name_taken", refused("room_name_taken"), true],
  ["room_name_invalid", refused("room_name_invalid"), true],
  ["too_many_rooms", refused("too_many_rooms"), false],
  ["offline", offline(), false],
])("marks the name as wrong when it is: %s", async (_, failure, isWrong) => {
  const create = vi.fn().mockRejectedValueOnce(failure).mockReturnValueOnce(new Promise(() => {}));
  render(<CreateRoom create={create} onDone={() => {}} onClose={() => {}} />);
  const name = screen.getByLabelText("Room name");
  await userEvent.type(name, "Plans{Enter}");
  expect((await screen.findByText(failure.message)).getAttribute("role")).toBe("alert");
  expect(name.getAttribute("aria-invalid")).toBe(isWrong ? "true" : null);
  await userEvent.type(name, "{Enter}");
  expect(name.getAttribute("aria-invalid")).toBeNull();
});
