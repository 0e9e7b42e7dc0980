import type { ErrorBody } from "@/types/protocol";

/** A request that was not done, with the server's plain sentence or ours. `code` is stable. */
export class Failure extends Error {
  readonly code: string;
  readonly retry: boolean;
  readonly retry_after_s: number | undefined;

  constructor(body: ErrorBody) {
    super(withPatience(body));
    this.name = "Failure";
    this.code = body.code;
    this.retry = body.retry;
    this.retry_after_s = body.retry_after_s;
  }
}

/** The server's sentence; where it says to wait, and that is long, how long. */
function withPatience({ message, retry_after_s = 0 }: ErrorBody): string {
  const minutes = Math.ceil(retry_after_s / 60);
  if (minutes < 2) return message;
  return `${message.replace(/ Please (wait|try again)\b[^.]*\.$/, "")} Try again in ${minutes} minutes.`;
}

/** Our own codes, for what the server never got to say. */
export const offline = () =>
  new Failure({
    code: "offline", message: "The server cannot be reached. Check your connection and try again.", retry: true,
  });

export const timedOut = () =>
  new Failure({ code: "timed_out", message: "The server took too long to answer. Please try again.", retry: true });

export const cookieRefused = () =>
  new Failure({
    code: "cookie_refused", message: "Your browser did not keep the sign-in. Please allow cookies for this site.",
    retry: false,
  });

/** An answer that is none of the server's: a proxy or a hotel's login page has given it. */
export const garbled = () =>
  new Failure({ code: "garbled", message: "The server has a problem right now. Please try again.", retry: true });

export const notCopied = () =>
  new Failure({ code: "not_copied", message: "Your browser did not let this page copy that.", retry: false });

/** The page's own mistake. It would be made again, so nothing is tried again by itself. */
const broken = () =>
  new Failure({ code: "broken", message: "Something went wrong. Please try again.", retry: false });

/**
 * Whatever was thrown, as a Failure. What nobody has foreseen is on the console too: it is no word about the network.
 */
export function failureOf(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown;
  console.error(thrown);
  return broken();
}

export function isErrorBody(value: unknown): value is ErrorBody {
  if (typeof value !== "object" || value === null) return false;
  const { code, message } = value as Partial<ErrorBody>;
  return typeof code === "string" && typeof message === "string";
}
