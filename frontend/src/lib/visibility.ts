import type { Connection } from "./connection";

interface Moments {
  /** Somebody looks at the page again, or the network is there. */
  back?(): void;
  /** The page is hidden or left. */
  away?(): void;
  /** The browser says that the network is gone. */
  lost?(): void;
}

const nothing = () => {};

/** Calls these when it is their moment, `away` at once where nobody looks. The answer ends it. */
export function onVisibility({ back = nothing, away = nothing, lost = nothing }: Moments): () => void {
  const changed = () => (document.visibilityState === "visible" ? back() : away());
  const online = () => document.visibilityState === "visible" && back();
  const listeners = [
    [window, "online", online],
    [window, "offline", lost],
    [document, "visibilitychange", changed],
  ] as const;
  for (const [where, event, act] of listeners) where.addEventListener(event, act);
  if (document.visibilityState !== "visible") away();
  return () => {
    for (const [where, event, act] of listeners) where.removeEventListener(event, act);
  };
}

/** The connection is looked after as long as somebody looks at the page. The answer ends it. */
export const watchOver = (connection: Connection): (() => void) =>
  onVisibility({
    back() {
      connection.watched(true);
      connection.tryNow();
    },
    away: () => connection.watched(false),
    lost: connection.lost,
  });
