import { act, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, it, vi } from "vitest";
import { timeOfDay } from "@/lib/dates";
import { createSession, type SessionService } from "./session";
import { StayBar } from "./StayBar";

const ENDS_AT = 1_790_000_120;

let session: SessionService;
let requests: string[];
let answer: () => Response;

beforeEach(() => {
  requests = [];
  answer = () => Response.json({ user: { username: "ada", name: "Ada" }, session: { expires_at: ENDS_AT + 1800 } });
  vi.stubGlobal("fetch", (input: string, init: RequestInit) => {
    requests.push(`${init.method} ${new URL(input, location.origin).pathname}`);
    return Promise.resolve(answer());
  });
  session = createSession();
  session.state.set({ status: "signed-in", user: { username: "ada", name: "Ada" } });
  render(<StayBar session={session} />);
});

it("is not there while nothing is about to end", () => {
  expect(screen.queryByRole("status")).toBeNull();
});

it("tells the server of whoever is at the page, also while there is nothing to say", async () => {
  await userEvent.keyboard("a");
  await waitFor(() => expect(requests).toContain("POST /api/auth/stay"));
});

it("says when the session ends, and goes once it was extended", async () => {
  act(() => session.expiring.set(ENDS_AT));
  expect(screen.getByRole("status").textContent).toContain(`This session ends at ${timeOfDay(ENDS_AT * 1000)}.`);
  await userEvent.click(screen.getByRole("button", { name: "Stay signed in" }));
  await waitFor(() => expect(screen.queryByRole("status")).toBeNull());
  expect([requests.filter((asked) => asked.includes("/api/")), session.state.get().status]).toEqual([
    ["POST /api/auth/stay"],
    "signed-in",
  ]);
});

it("says why when that did not work, and stays for another try", async () => {
  const error = { code: "unavailable", message: "The server has a problem right now.", retry: true };
  answer = () => Response.json({ error }, { status: 503 });
  act(() => session.expiring.set(ENDS_AT));
  await userEvent.click(screen.getByRole("button", { name: "Stay signed in" }));
  expect(await screen.findByText("The server has a problem right now.")).toBeTruthy();
  expect(screen.getByRole("button", { name: "Stay signed in" })).toBeTruthy();
});

it("makes way for signing in when the session has ended meanwhile", async () => {
  const error = { code: "unauthenticated", message: "Please sign in.", retry: false };
  answer = () => Response.json({ error }, { status: 401 });
  act(() => session.expiring.set(ENDS_AT));
  await userEvent.click(screen.getByRole("button", { name: "Stay signed in" }));
  await waitFor(() => expect(screen.queryByRole("status")).toBeNull());
  expect(session.state.get().status).toBe("ended");
});
