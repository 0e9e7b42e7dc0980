import { createElement, type ComponentType } from "react";
import { createStore, useValue } from "./store";

/** A file of the page could not be fetched, however often. */
export class Unfetched extends Error {
  constructor(readonly forget: () => void, cause: unknown) {
    super("unfetched", { cause });
  }
}

type Fetched<P> = { Part: ComponentType<P> } | { failure: Unfetched } | null;

const AGAIN_AFTER_MS = [500, 2_000];

/**
 * A component in a file of its own; nothing until that is here, or `Meanwhile`. React's `lazy` in a `Suspense` holds
 * back what has come until 300 ms after it last showed that something is missing: whatever is opened for the first time
 * would be that late, and so would the chat. A file that cannot be fetched is asked for again: twice by itself, and
 * whenever the Boundary around is tried again.
 */
export function lazy<P extends object>(
  load: () => Promise<{ default: ComponentType<P> }>, Meanwhile?: ComponentType<P>,
): ComponentType<P> {
  const fetched = createStore<Fetched<P>>(null);
  const asking = { now: false };

  async function ask(attempt = 0): Promise<void> {
    asking.now = true;
    try {
      fetched.set({ Part: (await load()).default });
    } catch (cause) {
      const delay_ms = AGAIN_AFTER_MS[attempt];
      if (delay_ms === undefined) return fetched.set({ failure: new Unfetched(forget, cause) });
      await new Promise((resolve) => setTimeout(resolve, delay_ms));
      fetchStyles();
      return ask(attempt + 1);
    }
  }
  const forget = () => {
    asking.now = false;
    fetched.set(null);
  };

  return function Lazy(props: P) {
    const now = useValue(fetched);
    if (!asking.now) void ask();
    if (now && "failure" in now) throw now.failure;
    const Shown = now?.Part ?? Meanwhile;
    return Shown ? createElement(Shown, props) : null;
  };
}

/** Those that came with a file and could not be fetched either: nobody else asks for them again. */
function fetchStyles() {
  for (const link of document.querySelectorAll<HTMLLinkElement>('link[rel="stylesheet"]'))
    if (!link.sheet) link.replaceWith(link.cloneNode());
}
