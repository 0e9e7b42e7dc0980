import { render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, it, vi } from "vitest";
import type { Device } from "@/types/protocol";
import AccountPanel from "./AccountPanel";
import { createSession, type SessionService } from "./session";

let session: SessionService;
let devices: Device[];
let requests: string[];
let password: string;

const json = (status: number, body: object) => new Response(JSON.stringify(body), { status });
const refusal = (status: number, code: string, message: string) =>
  json(status, { error: { code, message, retry: false } });
const device = (id: string, label: string, current = false): Device => ({
  id, device: label, current, began_at: 1_790_000_000, expires_at: 1_790_001_800,
});

async function server(input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> {
  const path = new URL(String(input), location.origin).pathname;
  const key = `${init.method} ${path}`;
  requests.push(key);
  if (key === "GET /api/auth/sessions") return json(200, { sessions: devices });
  if (key === "DELETE /api/auth/sessions") return (devices = []), new Response(null, { status: 204 });
  if (path.startsWith("/api/auth/sessions/")) {
    const id = path.split("/").pop();
    if (!devices.some((one) => one.id === id))
      return refusal(404, "session_not_found", "That device is not signed in any more.");
    devices = devices.filter((one) => one.id !== id);
    return new Response(null, { status: 204 });
  }
  const body = JSON.parse(init.body as string) as { password: string; new_password: string };
  if (body.password !== password) return refusal(403, "password_wrong", "That is not your password.");
  if (body.new_password.length < 8)
    return refusal(400, "password_length", "A password has at least 8 characters and at most 72 bytes.");
  password = body.new_password;
  return json(200, { user: { username: "ada", name: "Ada" }, session: { expires_at: 1 } });
}

beforeEach(async () => {
  vi.stubGlobal("fetch", server);
  session = createSession();
  devices = [device("a", "Firefox on Linux", true), device("b", "Safari on iPhone")];
  requests = [];
  password = "correct horse";
  render(<AccountPanel session={session} onClose={() => {}} />);
  await screen.findByText("Safari on iPhone");
});

it("says which device is this one, and offers the way out of the others only", () => {
  const list = within(screen.getByRole("list", { name: "Your devices" }));
  expect(list.getAllByRole("listitem").map((item) => item.textContent)[0]).toBe("Firefox on Linuxthis one");
  expect(list.getAllByRole("button").map((button) => button.getAttribute("aria-label"))).toEqual([
    "Sign out Safari on iPhone",
  ]);
});

it("signs another device out, and it is gone from the list", async () => {
  await userEvent.click(screen.getByRole("button", { name: "Sign out Safari on iPhone" }));
  await waitFor(() => expect(screen.queryByText("Safari on iPhone")).toBeNull());
  expect(requests).toContain("DELETE /api/auth/sessions/b");
});

it("says so when that device was signed out already", async () => {
  devices = devices.slice(0, 1);
  await userEvent.click(screen.getByRole("button", { name: "Sign out Safari on iPhone" }));
  await screen.findByText("That device is not signed in any more.");
  await waitFor(() => expect(screen.queryByText("Safari on iPhone")).toBeNull());
});

it("asks before it signs out everywhere; that is a logout of this page too", async () => {
  await userEvent.click(screen.getByRole("button", { name: "Sign out everywhere" }));
  await userEvent.click(screen.getByRole("button", { name: "Stay" }));
  expect(requests).not.toContain("DELETE /api/auth/sessions");
  await userEvent.click(screen.getByRole("button", { name: "Sign out everywhere" }));
  await userEvent.click(screen.getByRole("button", { name: "Sign out all" }));
  await waitFor(() => expect(session.state.get()).toEqual({ status: "signed-out", on_purpose: true }));
});

it("changes the password, and empties the fields", async () => {
  await userEvent.type(screen.getByLabelText("Password now"), "correct horse");
  await userEvent.type(screen.getByLabelText("New password"), "battery staple");
  await userEvent.click(screen.getByRole("button", { name: "Change password" }));
  await screen.findByText("Your password is changed.");
  expect(password).toBe("battery staple");
  expect(screen.getByLabelText<HTMLInputElement>("New password").value).toBe("");
});

it.each([
  ["wrong", "battery staple", "That is not your password.", "Password now"],
  ["correct horse", "short", "A password has at least 8 characters and at most 72 bytes.", "New password"],
])("says what is wrong with %s and %s, where it can be mended", async (now, next, message, field) => {
  await userEvent.type(screen.getByLabelText("Password now"), now);
  await userEvent.type(screen.getByLabelText("New password"), next);
  await userEvent.click(screen.getByRole("button", { name: "Change password" }));
  await screen.findByText(message);
  expect(document.activeElement).toBe(screen.getByLabelText(field));
  expect(screen.getByLabelText(field).getAttribute("aria-invalid")).toBe("true");
  expect(password).toBe("correct horse");
});
