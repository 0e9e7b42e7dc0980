import { act, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { MemoryRouter, useLocation, useParams } from "react-router";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { createSession, type SessionService } from "@/features/auth/session";
import type { User } from "@/types/protocol";
import { App } from "./App";

/** Stands in for the chat: shows whose it is and where, and keeps a field as long as it is mounted. */
vi.mock("./ChatRoom", () => ({
  default: function ChatRoom({ user }: { user: User }) {
    const { room, seq } = useParams();
    const [text, setText] = useState("");
    return (
      <main>
        <h1>{`${user.name} in ${room} ${seq ?? ""}`}</h1>
        <input aria-label="Field" value={text} onChange={(event) => setText(event.target.value)} />
      </main>
    );
  },
}));

let session: SessionService;
let signedIn: string | null;
let requests: [method: string, url: string, headers: Record<string, string>][];
let address: string;
/** Where the doors are, as /config.json says; and whether the browser keeps the cookie that it is given there. */
let told: string;
let keepsCookies: boolean;

const names: Record<string, string> = { ada: "Ada", grace: "Grace" };
const json = (status: number, body: object) => new Response(JSON.stringify(body), { status });
const refusal = (status: number, code: string, message: string) =>
  json(status, { error: { code, message, retry: false } });

/** The four doors, with two people behind them. */
async function server(input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> {
  const url = String(input);
  if (url === "/config.json") return json(200, { auth_base: told });
  requests.push([init.method ?? "GET", url, init.headers as Record<string, string>]);
  const body = JSON.parse((init.body as string | undefined) ?? "{}") as { username?: string; password?: string };
  const answer = (username: string) => ({ user: { username, name: names[username] }, session: { expires_at: 1 } });
  if (url.endsWith("/logout")) return (signedIn = null), new Response(null, { status: 204 });
  if (url.endsWith("/register")) {
    if (body.username === "Ada") return refusal(409, "username_taken", "That name is taken. Please choose another.");
    names[String(body.username).toLowerCase()] = String(body.username);
    return json(201, { user: { username: String(body.username).toLowerCase(), name: body.username } });
  }
  if (url.endsWith("/login")) {
    if (body.password !== "correct horse")
      return refusal(401, "bad_credentials", "That name and password do not match.");
    signedIn = String(body.username).toLowerCase();
  }
  if (/\/(protected|rooms)$/.test(url) && !keepsCookies) return refusal(401, "unauthenticated", "Please sign in.");
  if (!signedIn) return refusal(401, "unauthenticated", "Please sign in.");
  const across = told.startsWith("https:") && url.endsWith("/protected") ? { ticket: `for ${signedIn}` } : {};
  return json(200, { ...answer(signedIn), ...across });
}

function Address() {
  const { pathname, search } = useLocation();
  address = pathname + search;
  return null;
}

function visit(path: string) {
  session = createSession();
  render(
    <MemoryRouter initialEntries={[path]}>
      <App session={session} />
      <Address />
    </MemoryRouter>,
  );
  return userEvent.setup();
}

async function signIn(user: ReturnType<typeof userEvent.setup>, name: string, password = "correct horse") {
  const field = await screen.findByLabelText("Name");
  await user.clear(field);
  await user.type(field, name);
  await user.type(screen.getByLabelText("Password"), password);
  await user.click(screen.getByRole("button", { name: "Sign in" }));
}

const heading = (name: string) => screen.findByRole("heading", { name });

beforeEach(() => {
  signedIn = null;
  told = "";
  keepsCookies = true;
  requests = [];
  vi.stubGlobal("fetch", vi.fn(server));
});

describe("coming in", () => {
  it("without a session leads to the login page, and back to the place afterwards", async () => {
    const user = visit("/r/general/12");
    await waitFor(() => expect(address).toBe("/login?next=%2Fr%2Fgeneral%2F12"));
    await signIn(user, "Ada");
    await heading("Ada in general 12");
    expect(address).toBe("/r/general/12");
  });

  it("with a session asks once and shows the room", async () => {
    signedIn = "ada";
    visit("/r/design");
    await heading("Ada in design");
    expect(requests.map(([method, url]) => `${method} ${url}`)).toEqual(["GET /api/auth/protected"]);
  });

  it("by the start leads to the room that was open last", async () => {
    signedIn = "ada";
    localStorage.setItem("parley.room.ada", "design");
    visit("/");
    await heading("Ada in design");
    expect(address).toBe("/r/design");
  });

  it("when the server cannot be reached says so, and tries again", async () => {
    signedIn = "ada";
    vi.mocked(fetch).mockRejectedValueOnce(new TypeError("network"));
    const user = visit("/r/general");
    expect((await screen.findByRole("alert")).textContent).toContain("cannot be reached");
    await user.click(screen.getByRole("button", { name: "Try again" }));
    await heading("Ada in general");
  });

  it("when the server takes its time says that", async () => {
    let answer = () => {};
    vi.mocked(fetch).mockReturnValueOnce(new Promise((resolve) => (answer = () => resolve(json(401, {})))));
    visit("/r/general");
    expect(screen.getByRole("status").textContent).toBe("");
    await screen.findByText("The server has not answered yet…", {}, { timeout: 60_000 });
    answer();
    await screen.findByLabelText("Name");
  });

  describe("when the server cannot be reached, in a browser where somebody was signed in", () => {
    const away = () => vi.mocked(fetch).mockImplementation(async () => Promise.reject(new TypeError("network")));

    beforeEach(async () => {
      signedIn = "ada";
      await createSession().check();
    });

    it("opens their room", async () => {
      away();
      visit("/r/general/3");
      await heading("Ada in general 3");
    });

    it("opens none after they signed out", async () => {
      const left = createSession();
      await left.check();
      await left.logout();
      away();
      visit("/r/general");
      expect((await screen.findByRole("alert")).textContent).toContain("cannot be reached");
    });

    it("opens none after their session had ended", async () => {
      const over = createSession();
      await over.check();
      over.end("Your session has ended.");
      away();
      visit("/r/general");
      expect((await screen.findByRole("alert")).textContent).toContain("cannot be reached");
    });
  });

  it.each(["/login/?next=%2Fr%2Fdesign", "/register/?next=%2Fr%2Fdesign"])(
    "by %s, with a slash, is the same, and leads on to the same place",
    async (path) => {
      const user = visit(path);
      await screen.findByLabelText("Name");
      expect(address).toBe(path);
      await user.type(screen.getByLabelText("Name"), "Ada2");
      await user.type(screen.getByLabelText("Password"), "correct horse{Enter}");
      await waitFor(() => expect(address).toBe("/r/design"));
    },
  );

  it("by the login page of a browser that nobody used asks nothing", async () => {
    visit("/login");
    await screen.findByRole("heading", { name: "Sign in" });
    expect(requests).toEqual([]);
  });
});

describe("the forms", () => {
  it("say what is wrong in the server's words and give the password the focus", async () => {
    const user = visit("/login");
    await signIn(user, "Ada", "wrong");
    expect((await screen.findByRole("alert")).textContent).toBe("That name and password do not match.");
    const field = screen.getByLabelText<HTMLInputElement>("Password");
    expect([document.activeElement, field.getAttribute("aria-invalid")]).toEqual([field, "true"]);
  });

  it("give the name the focus when the name is the trouble", async () => {
    const user = visit("/register");
    await user.type(await screen.findByLabelText("Name"), "Ada");
    await user.type(screen.getByLabelText("Password"), "correct horse");
    await user.click(screen.getByRole("button", { name: "Create account" }));
    expect((await screen.findByRole("alert")).textContent).toContain("That name is taken.");
    expect(document.activeElement).toBe(screen.getByLabelText("Name"));
  });

  it("are one step apart, and keep the place to go to", async () => {
    const user = visit("/login?next=%2Fr%2Fdesign");
    await user.click(await screen.findByRole("link", { name: "Create an account" }));
    expect(address).toBe("/register?next=%2Fr%2Fdesign");
  });

  it("of registration sign in", async () => {
    const user = visit("/register?next=%2Fr%2Fdesign");
    await user.type(await screen.findByLabelText("Name"), "Margaret");
    await user.type(screen.getByLabelText("Password"), "correct horse");
    await user.click(screen.getByRole("button", { name: "Create account" }));
    await heading("Margaret in design");
  });
});

describe("the end of a session", () => {
  async function ended() {
    signedIn = "ada";
    const user = visit("/r/general/7");
    await user.type(await screen.findByLabelText("Field"), "half a thought");
    signedIn = null;
    act(() => session.end("Your session has ended."));
    await waitFor(() => expect(address).toBe("/login?next=%2Fr%2Fgeneral%2F7"));
    return user;
  }

  it("is a panel over the room, which stays as it was", async () => {
    await ended();
    expect(await screen.findByRole("dialog", { name: "Sign in again" })).toBeTruthy();
    expect(screen.getByLabelText<HTMLInputElement>("Field").value).toBe("half a thought");
    expect(screen.getByLabelText<HTMLInputElement>("Name").value).toBe("Ada");
  });

  it("comes from any request that is refused as unauthenticated", async () => {
    signedIn = "ada";
    visit("/r/general");
    await heading("Ada in general");
    signedIn = null;
    await act(() => session.http("GET", "/api/rooms").catch(() => {}));
    await waitFor(() => expect(address).toBe("/login?next=%2Fr%2Fgeneral"));
  });

  it("is over when the same person signs in: same place, same words", async () => {
    const user = await ended();
    await signIn(user, "Ada");
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    await waitFor(() =>
      expect([address, screen.getByLabelText<HTMLInputElement>("Field").value]).toEqual([
        "/r/general/7",
        "half a thought",
      ]),
    );
  });

  it("leaves nothing of it to another person, not even the place", async () => {
    const user = await ended();
    await signIn(user, "Grace");
    await heading("Grace in general");
    await waitFor(() =>
      expect([address, screen.getByLabelText<HTMLInputElement>("Field").value]).toEqual(["/r/general", ""]),
    );
  });
});

describe("signing out", () => {
  it("leads to the bare login page", async () => {
    signedIn = "ada";
    visit("/r/general");
    await heading("Ada in general");
    await act(() => session.logout());
    await waitFor(() => expect(address).toBe("/login"));
    expect([screen.queryByRole("dialog"), screen.queryByLabelText("Field")]).toEqual([null, null]);
  });
});

describe("a browser that keeps no cookie", () => {
  const CODE = "Please allow cookies for this site.";

  it("and says so is told before anybody types, and again instead of a room", async () => {
    vi.spyOn(navigator, "cookieEnabled", "get").mockReturnValue(false);
    keepsCookies = false;
    const user = visit("/login");
    expect((await screen.findByRole("alert")).textContent).toMatch(/^Your browser keeps no cookies for this site/);
    await signIn(user, "Ada");
    await waitFor(() => expect(screen.getByRole("alert").textContent).toContain(CODE));
    expect([session.state.get().status, address]).toEqual(["unknown", "/login"]);
  });

  it("and does not say so is found out by the first request, and not called the end of a session", async () => {
    const user = visit("/login");
    keepsCookies = false;
    await signIn(user, "Ada");
    await heading("Ada in general");
    await act(() => session.http("GET", "/api/rooms").catch(() => {}));
    await screen.findByText(new RegExp(CODE));
    expect(screen.queryByText(/session has ended/)).toBeNull();
  });

  it("is another than one whose session is over later", async () => {
    const user = visit("/login");
    await signIn(user, "Ada");
    await heading("Ada in general");
    await act(() => session.http("GET", "/api/rooms"));
    keepsCookies = false;
    await act(() => session.http("GET", "/api/rooms").catch(() => {}));
    await screen.findByText(/Your session has ended\./);
    expect(screen.queryByText(new RegExp(CODE))).toBeNull();
  });
});

describe("the doors elsewhere", () => {
  const asked = () => requests.map(([method, url]) => `${method} ${url}`);

  it("at another site are asked there, and the ticket is taken to the chat server before the room opens", async () => {
    told = "https://api.example/prod";
    const user = visit("/login");
    await signIn(user, "Ada");
    await heading("Ada in general");
    expect(asked()).toEqual([
      "POST https://api.example/prod/login",
      "GET https://api.example/prod/protected",
      "POST /api/auth/ticket",
    ]);
    requests = [];
    await act(() => session.logout());
    expect(asked()).toEqual(["POST https://api.example/prod/logout", "POST /api/auth/logout"]);
  });

  it("are where the build says when the server names none, and where the server says when both do", async () => {
    vi.stubEnv("VITE_AUTH_BASE", "https://built.example");
    visit("/r/general");
    await screen.findByRole("heading", { name: "Sign in" });
    told = "https://api.example";
    await createSession().check();
    vi.unstubAllEnvs();
    expect(asked()).toEqual(["GET https://built.example/protected", "GET https://api.example/protected"]);
  });

  it("behind a path of this site need neither ticket nor second look", async () => {
    told = "/auth/";
    const user = visit("/login");
    await signIn(user, "Ada");
    await heading("Ada in general");
    await act(() => session.logout());
    expect(asked()).toEqual(["POST /auth/login", "POST /auth/logout"]);
  });

  it("say so when the browser keeps no cookie of theirs", async () => {
    told = "https://api.example/prod";
    keepsCookies = false;
    const user = visit("/login");
    await signIn(user, "Ada");
    expect((await screen.findByRole("alert")).textContent).toContain("Please allow cookies");
  });

  it("are asked for again when nobody could say where they are, and no other server is asked instead", async () => {
    told = "/auth";
    signedIn = "ada";
    vi.mocked(fetch).mockImplementationOnce(async () => new Response("starting", { status: 503 }));
    const user = visit("/r/general");
    expect((await screen.findByRole("alert")).textContent).toContain("cannot be reached");
    expect(requests).toEqual([]);
    await user.click(screen.getByRole("button", { name: "Try again" }));
    await heading("Ada in general");
    expect(asked()).toEqual(["GET /auth/protected"]);
  });
});

describe("requests", () => {
  it("that write name the person this page believes in; those that read do not", async () => {
    signedIn = "ada";
    visit("/r/general");
    await heading("Ada in general");
    await session.http("POST", "/api/rooms", {});
    await session.http("GET", "/api/rooms");
    const [writes, reads] = requests.slice(-2).map(([, , headers]) => headers["X-Parley-User"]);
    expect([writes, reads]).toEqual(["ada", undefined]);
  });

  it("of somebody with a name beyond Latin-1 name them too, in letters that a header takes", async () => {
    names["иван"] = "Иван";
    signedIn = "иван";
    visit("/r/general");
    await heading("Иван in general");
    await session.http("POST", "/api/rooms", {});
    expect(requests.at(-1)?.[2]["X-Parley-User"]).toBe("%D0%B8%D0%B2%D0%B0%D0%BD");
    expect(() => new Headers(requests.at(-1)?.[2])).not.toThrow();
  });

  it("refused as somebody else's say so until the page is loaded again", async () => {
    signedIn = "ada";
    visit("/r/general");
    await heading("Ada in general");
    vi.mocked(fetch).mockResolvedValueOnce(
      refusal(409, "user_mismatch", "You are signed in as somebody else in this browser now. Reload the page."),
    );
    await act(() => session.http("POST", "/api/rooms", {}).catch(() => {}));
    expect(session.mismatch.get()?.message).toContain("somebody else");
  });
});
