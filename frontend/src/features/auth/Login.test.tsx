import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { MemoryRouter } from "react-router";
import { beforeEach, expect, it, vi } from "vitest";
import { Login } from "./Login";
import { createSession } from "./session";

let installation: object | null;
let sent: object[];
let refused: boolean;

const TICK = { name: "Keep me signed in on this device" };

async function server(input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> {
  if (String(input) === "/config.json")
    return installation ? Response.json(installation) : new Response("", { status: 404 });
  sent.push(JSON.parse(init.body as string) as object);
  if (!refused)
    return Response.json({ user: { username: "ada", name: "Ada" }, session: { expires_at: 1, ttl_s: 1800 } });
  const error = { code: "remember_refused", message: "This chat keeps nobody signed in.", retry: false };
  return Response.json({ error }, { status: 403 });
}

beforeEach(() => {
  vi.stubGlobal("fetch", server);
  installation = { auth_base: "", remember_days: 30 };
  sent = [];
  refused = false;
});

const open = () => render(<MemoryRouter><Login session={createSession()} /></MemoryRouter>);

async function enter() {
  await userEvent.type(screen.getByLabelText("Name"), "ada");
  await userEvent.type(screen.getByLabelText("Password"), "correct horse{Enter}");
  await waitFor(() => expect(sent.length).toBe(1));
}

it("asks to be kept signed in only when that is ticked, which nobody does for them", async () => {
  open();
  const tick = await screen.findByRole<HTMLInputElement>("checkbox", TICK);
  expect(tick.checked).toBe(false);
  expect(document.getElementById(tick.getAttribute("aria-describedby") ?? "")?.textContent).toContain("30 days");
  await enter();
  expect(sent).toEqual([{ username: "ada", password: "correct horse" }]);
});

it("is ticked by keyboard, and the choice is not kept for the next time", async () => {
  const { unmount } = open();
  const tick = await screen.findByRole("checkbox", TICK);
  tick.focus();
  await userEvent.keyboard(" ");
  await enter();
  expect(sent).toEqual([{ username: "ada", password: "correct horse", remember: true }]);
  expect(JSON.stringify(localStorage)).not.toMatch(/remember|keep/);
  unmount();
  open();
  expect((await screen.findByRole<HTMLInputElement>("checkbox", TICK)).checked).toBe(false);
});

it.each([
  ["keeps nobody", { auth_base: "", remember_days: 0 }],
  ["is of before", { auth_base: "" }],
  ["has no such file", null],
])("offers no tick where the server %s", async (_, told) => {
  installation = told;
  open();
  await enter();
  expect(screen.queryByRole("checkbox")).toBeNull();
});

it("says it when the server refuses the tick, and does not blame the password", async () => {
  refused = true;
  open();
  await userEvent.click(await screen.findByRole("checkbox", TICK));
  await enter();
  await screen.findByText("This chat keeps nobody signed in.");
  expect(screen.getByLabelText("Password").getAttribute("aria-invalid")).toBeNull();
});
