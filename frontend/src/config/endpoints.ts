import { offline } from "@/lib/failure";
import { reach } from "@/lib/http";

const told = (meta: string) => document.querySelector<HTMLMetaElement>(`meta[name="${meta}"]`)?.content;
const plain = (base: string) => base.replace(/\/+$/, "");

/**
 * The chat server: HTTP routes under /api and the socket. A <meta> of index.html (a deployment may fill it in), then
 * the build's variable, then the page's own origin, which is empty.
 */
export const chatBase = (): string => plain(told("parley-chat-base") || import.meta.env.VITE_CHAT_BASE || "");

/** What /config.json says of this installation. */
export interface Installation {
  auth_base: string;
  remember_days: number;
}

/**
 * `register`, `login`, `logout` and `protected` stand below this: at the chat server, or elsewhere when API Gateway
 * serves them. Asked of /config.json when the page opens, so that one bundle fits every installation; then the build's
 * variable, then the chat server. Throws when nobody answers: not to know is no reason to ask the wrong server. Whoever
 * is `told` need not ask.
 */
export function createInstallation(told: (installation: Installation) => void): () => Promise<Installation> {
  let asked: Promise<Installation> | null = null;
  const installation = () => {
    asked ??= ask().then(
      (answer) => {
        told(answer);
        return answer;
      },
      (thrown: unknown) => {
        asked = null;
        throw thrown;
      },
    );
    return asked;
  };
  installation().catch(() => {});
  return installation;
}

async function ask(): Promise<Installation> {
  const response = await reach("/config.json");
  if (response.status >= 500) throw offline();
  const config = response.ok ? ((await response.json().catch(() => null)) as Partial<Installation> | null) : null;
  return {
    auth_base: plain(config?.auth_base || import.meta.env.VITE_AUTH_BASE || `${chatBase()}/api/auth`),
    remember_days: config?.remember_days ?? 0,
  };
}

/** Whether that is another server than the chat server, which then needs a cookie of its own. */
export const isElsewhere = (base: string): boolean =>
  new URL(base, location.origin).origin !== new URL(chatBase(), location.origin).origin;
