/**
 * Where the servers are, read when the page runs: a <meta> of index.html (a deployment may fill it in), then the
 * build's variable, then the page's own origin.
 */
function base(meta: string, built: string | undefined, own: string): string {
  const told = document.querySelector<HTMLMetaElement>(`meta[name="${meta}"]`)?.content;
  return (told || built || own).replace(/\/+$/, "");
}

/** The chat server: HTTP routes under /api and the socket. Empty means the page's own origin. */
export const chatBase = (): string => base("parley-chat-base", import.meta.env.VITE_CHAT_BASE, "");

/** `register`, `login`, `logout` and `protected` stand below this; elsewhere when API Gateway serves them. */
export const authBase = (): string => base("parley-auth-base", import.meta.env.VITE_AUTH_BASE, `${chatBase()}/api/auth`);
