import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, it, vi } from "vitest";
import { keepFocus } from "@/lib/keepFocus";
import AccountPanel from "./AccountPanel";
import { createSession } from "./session";

const stop = keepFocus();
afterEach(() => stop());

it("the focus goes on to what follows when another device was signed out", async () => {
  let devices = ["this", "phone"].map((id) => ({
    id, current: id === "this", device: id, began_at: 1_790_000_000, expires_at: 1_790_001_800,
  }));
  vi.stubGlobal("fetch", async (_url: string, { method }: RequestInit = {}) => {
    if (method !== "DELETE") return new Response(JSON.stringify({ sessions: devices }));
    devices = devices.slice(0, 1);
    return new Response(null, { status: 204 });
  });
  render(<AccountPanel session={createSession()} onClose={() => {}} />);
  (await screen.findByRole("button", { name: "Sign out phone" })).focus();
  await userEvent.keyboard("{Enter}");
  await waitFor(() => expect(document.activeElement).toBe(screen.getByRole("button", { name: "Sign out everywhere" })));
});
