import { Failure, garbled, isErrorBody, offline } from "@/lib/failure";
import { t } from "@/lib/language";

interface Listeners {
  /** The server no longer knows this session. */
  unauthenticated(failure: Failure): void;
  /** The cookie belongs to somebody else than this page believes. */
  mismatch(failure: Failure): void;
}

type HeaderName = string;

export type Http = <T>(method: string, url: string, body?: object) => Promise<T>;

/**
 * Fetches. Throws `offline` when no answer came, and only then: a request that cannot be made is a mistake of this
 * page, for which `fetch` throws the same TypeError, so it is made up before.
 */
export async function reach(url: string, init: RequestInit = {}): Promise<Response> {
  void new URL(url, location.origin);
  void new Headers(init.headers);
  return answered(fetch(url, init));
}

async function answered<T>(coming: Promise<T>): Promise<T> {
  try {
    return await coming;
  } catch (thrown) {
    if (thrown instanceof TypeError || (thrown instanceof DOMException && thrown.name === "AbortError"))
      throw offline();
    throw thrown;
  }
}

/** JSON over fetch. `user` is who this page believes to be; it goes with every request that writes. */
export function createHttp(user: () => string | undefined, listeners: Listeners): Http {
  return async function request<T>(method: string, url: string, body?: object): Promise<T> {
    const headers: Record<HeaderName, string> = { Accept: "application/json" };
    const username = user();
    if (body) headers["Content-Type"] = "application/json";
    // A header takes Latin-1 alone.
    if (username && method !== "GET") headers["X-Parley-User"] = encodeURIComponent(username);
    const response = await reach(url, { method, headers, body: body && JSON.stringify(body), credentials: "include" });
    if (response.ok) return (response.status === 204 ? undefined : parsed(await answered(response.text()))) as T;
    const failure = await refusal(response);
    if (failure.code === "unauthenticated") listeners.unauthenticated(failure);
    if (failure.code === "user_mismatch") listeners.mismatch(failure);
    throw failure;
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw garbled();
  }
}

/** The server's own sentence; a proxy's error page has none. */
async function refusal(response: Response): Promise<Failure> {
  const body: unknown = await response.json().catch(() => null);
  const error = (body as { error?: unknown } | null)?.error;
  const waits = Number(response.headers.get("Retry-After")) || undefined;
  if (isErrorBody(error)) return new Failure({ ...error, retry_after_s: error.retry_after_s ?? waits });
  if (response.status === 401)
    return new Failure({ code: "unauthenticated", message: t("Please sign in."), retry: false });
  return new Failure({
    code: `http_${response.status}`,
    message:
      response.status >= 500
        ? t("The server has a problem right now. Please try again.")
        : t("The server refused this."),
    retry: response.status >= 500,
    retry_after_s: waits,
  });
}
