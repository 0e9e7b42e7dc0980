import { chatBase, createInstallation, isElsewhere } from "@/config/endpoints";
import { cookieRefused, failureOf, type Failure } from "@/lib/failure";
import { createHttp, type Http } from "@/lib/http";
import { t } from "@/lib/language";
import { createStore } from "@/lib/store";
import type { Session, User } from "@/types/protocol";
import { createStaying } from "./staying";

/**
 * `unknown`: not asked yet. `ended`: somebody was signed in on this page and is not any more; their room stays
 * visible under the login panel.
 */
export type SessionState =
  | { status: "unknown" }
  | { status: "signed-out"; on_purpose: boolean }
  | { status: "signed-in"; user: User }
  | { status: "ended"; user: User; why: string };

interface Answer {
  user: User;
  session: Session;
  /** From a server of another site: good once for a cookie of the chat server's own. */
  ticket?: string;
}

export type SessionService = ReturnType<typeof createSession>;

const HINT = "parley.user";

/** Who is signed in on this page, and the routes that change it. */
export function createSession() {
  const state = createStore<SessionState>({ status: "unknown" });
  /** The server says that the cookie is somebody else's; nothing but a reload helps. */
  const mismatch = createStore<Failure | null>(null);
  /** How many days the server keeps somebody signed in who wants that; 0 while it offers that to nobody. */
  const remember_days = createStore(0);

  const installation = createInstallation(({ remember_days: days }) => remember_days.set(days));
  const authBase = async () => (await installation()).auth_base;

  const username = () => {
    const now = state.get();
    return now.status === "signed-in" ? now.user.username : undefined;
  };
  /** Somebody has just signed in, and no request has shown yet that the browser keeps the cookie. */
  let isUnproven = false;
  const listeners = {
    unauthenticated: () => end(isUnproven ? cookieRefused().message : t("Your session has ended.")),
    mismatch: (failure: Failure) => mismatch.set(failure),
  };
  const asking = createHttp(username, listeners);
  const http: Http = async (...asked) => {
    const answer = await asking(...asked);
    isUnproven = false;
    return answer as never;
  };
  const doors = createHttp(() => undefined, { unauthenticated: () => {}, mismatch: listeners.mismatch });

  const staying = createStaying(async () => {
    const before = state.get();
    const answer = await http<Answer>("POST", `${chatBase()}/api/auth/stay`, {});
    if (state.get() !== before) return null; // signed out meanwhile: an answer from before signs nobody in
    mismatch.set(null);
    if (username() !== answer.user.username) known(answer.user); // else nothing is new, and nothing is drawn anew
    return answer.session;
  });

  function signedIn({ user, session }: Answer): User {
    staying.begin(session.ttl_s);
    mismatch.set(null);
    known(user);
    return user;
  }

  function known(user: User) {
    remember(user);
    state.set({ status: "signed-in", user });
  }

  function end(why: string) {
    staying.calm();
    const now = state.get();
    if (now.status === "unknown" || (now.status === "signed-in" && now.user.username === remembered()?.username))
      remember(null);
    if (now.status === "signed-in") state.set({ status: "ended", user: now.user, why });
    if (now.status === "unknown") state.set({ status: "signed-out", on_purpose: false });
  }

  async function look(): Promise<boolean> {
    try {
      const answer = await doors<Answer>("GET", `${await authBase()}/protected`);
      if (answer.ticket) await doors("POST", `${chatBase()}/api/auth/ticket`, { ticket: answer.ticket });
      signedIn(answer);
      return true;
    } catch (thrown) {
      if ((thrown as Failure).code !== "unauthenticated") throw thrown;
      return false;
    }
  }

  /**
   * Where the door is another server, only another look tells whether the browser keeps its cookie, and has a ticket.
   * Here the next request tells, unless the browser says by itself that it keeps none.
   */
  async function enter(name: string, password: string, remember = false): Promise<User> {
    const base = await authBase();
    const asked = remember ? { username: name, password, remember } : { username: name, password };
    const answer = await doors<Answer>("POST", `${base}/login`, asked);
    staying.began();
    isUnproven = !isElsewhere(base);
    if (isUnproven && navigator.cookieEnabled) return signedIn(answer);
    if (!(await look())) throw cookieRefused();
    return answer.user;
  }

  /**
   * Whoever was signed in last, as long as nobody can say that they are not: the connection asks before it carries
   * anything.
   */
  function assume(): boolean {
    const user = remembered();
    if (user && state.get().status === "unknown") state.set({ status: "signed-in", user });
    return user !== null;
  }

  /** Signed out on purpose, here or in another tab. */
  function forget() {
    remember(null);
    staying.calm();
    state.set({ status: "signed-out", on_purpose: true });
  }

  return {
    state,
    mismatch,
    remember_days,
    /** When the server says the session is about to end. */
    expiring: staying.expiring,
    last: staying.last,
    warn: staying.warn,
    slid: staying.slid,
    stay: staying.stay,
    http,
    listeners,
    end,

    /** Asks whose session the cookie is: false when nobody's. No answer is thrown. */
    look,
    /**
     * Asks whose session the cookie is. A refusal is an answer; no answer is thrown, unless somebody was signed in
     * before.
     */
    async check(): Promise<void> {
      try {
        if (!(await look())) end(t("Your session has ended."));
      } catch (thrown) {
        if (!failureOf(thrown).retry || !assume()) throw thrown;
      }
    },
    login: enter,
    /** Makes the account and signs in with it. */
    async register(name: string, password: string): Promise<User> {
      await doors("POST", `${await authBase()}/register`, { username: name, password });
      return enter(name, password);
    },
    /** Somebody did something at the page. */
    acted() {
      if (username() !== undefined && mismatch.get() === null) staying.acted();
    },
    async logout(): Promise<void> {
      const base = await authBase();
      await doors("POST", `${base}/logout`);
      // The session is over now, wherever it was; the chat server's own cookie of it is only tidied away.
      if (isElsewhere(base)) await doors("POST", `${chatBase()}/api/auth/logout`).catch(() => {});
      forget();
    },
    forget,
    /** Whether this browser had somebody signed in; spares a new visitor the question. */
    maybeSignedIn: () => remembered() !== null,
  };
}

function remember(user: User | null) {
  try {
    if (user === null) localStorage.removeItem(HINT);
    else localStorage.setItem(HINT, JSON.stringify(user));
  } catch {
    // Without storage the login page simply asks for a name.
  }
}

function remembered(): User | null {
  try {
    return JSON.parse(localStorage.getItem(HINT) ?? "null") as User | null;
  } catch {
    return null;
  }
}

/** Where to go after signing in: a path of this site, or the start. */
export function nextPath(search: string): string {
  const next = new URLSearchParams(search).get("next") ?? "/";
  try {
    const url = new URL(next, location.origin);
    // Dots are resolved by now: "/.//elsewhere" is "//elsewhere", which a browser takes for another site.
    const same = url.origin === location.origin && next.startsWith("/") && !url.pathname.startsWith("//");
    return same && !/^\/(login|register)\b/.test(url.pathname) ? url.pathname + url.search + url.hash : "/";
  } catch {
    return "/";
  }
}

/** `/login?next=…` for a place that needs a session. */
export const loginPath = (from: { pathname: string; search: string }): string => {
  const here = from.pathname + from.search;
  return here === "/" ? "/login" : `/login?next=${encodeURIComponent(here)}`;
};
