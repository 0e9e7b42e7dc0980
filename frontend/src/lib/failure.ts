import { known, t } from "@/lib/language";
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

/** Where it says to wait, and that is long, how long. */
function withPatience({ retry_after_s = 0, ...body }: ErrorBody): string {
  const minutes = Math.ceil(retry_after_s / 60);
  const said = refusal(body);
  if (minutes < 2) return said;
  const asked = new RegExp(` ${t("Please")} [^.]*\\.$`); // nobody is asked for a moment who has minutes to wait
  return `${said.replace(asked, "")} ${t("Try again in {minutes} minutes.", { minutes })}`;
}

/**
 * A refusal as the language of the page has it, by its code; else as the server says it, which is English. What the
 * server broke down at has a number to quote; who came to another address than the chat's is told the right one.
 */
export function refusal({ code, message }: Pick<ErrorBody, "code" | "message">): string {
  const incident = /\bincident (\w+)/.exec(message)?.[1];
  const use = / at (\S+) instead/.exec(message)?.[1];
  return (
    (incident && known("refusal.incident", { incident })) || (use && known("refusal.elsewhere", { use })) ||
    (known(`refusal.${code}`) ?? message)
  );
}

/** Our own codes, for what the server never got to say. */
export const offline = () =>
  new Failure({
    code: "offline", message: t("The server cannot be reached. Check your connection and try again."), retry: true,
  });

export const timedOut = () =>
  new Failure({ code: "timed_out", message: t("The server took too long to answer. Please try again."), retry: true });

export const cookieRefused = () =>
  new Failure({
    code: "cookie_refused", message: t("Your browser did not keep the sign-in. Please allow cookies for this site."),
    retry: false,
  });

/** An answer that is none of the server's: a proxy or a hotel's login page has given it. */
export const garbled = () =>
  new Failure({ code: "garbled", message: t("The server has a problem right now. Please try again."), retry: true });

export const notCopied = () =>
  new Failure({ code: "not_copied", message: t("Your browser did not let this page copy that."), retry: false });

/** The page's own mistake. It would be made again, so nothing is tried again by itself. */
const broken = () =>
  new Failure({ code: "broken", message: t("Something went wrong. Please try again."), retry: false });

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
