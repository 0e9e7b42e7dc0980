import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createSession } from "./session";

const ADA = { user: { username: "ada", name: "Ada" }, session: { expires_at: 2_000_000_000, ttl_s: 1800 } };
const json = (body: unknown, status = 200) =>
  new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } });
let answerStay: (response: Response) => void;

beforeEach(() => {
  const staying = new Promise<Response>((resolve) => (answerStay = resolve));
  vi.stubGlobal("fetch", (path: string) => {
    if (path.endsWith("/stay")) return staying;
    if (path.endsWith("/config.json")) return Promise.resolve(json({ auth_base: "", remember_days: 30 }));
    return Promise.resolve(path.endsWith("/logout") ? new Response(null, { status: 204 }) : json(ADA));
  });
});

afterEach(() => vi.unstubAllGlobals());

it("an answer to an act from before signs nobody in who has signed out since", async () => {
  const session = createSession();
  await session.check();
  expect(session.state.get().status).toBe("signed-in");
  const stay = session.stay(); // as the click on "Sign out" itself asks it
  await session.logout();
  answerStay(json(ADA));
  await stay;
  expect(session.state.get()).toEqual({ status: "signed-out", on_purpose: true });
  expect(session.maybeSignedIn()).toBe(false);
});
