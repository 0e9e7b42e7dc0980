import { createElement, lazy as reactLazy, type ComponentType } from "react";

/** A file of the page could not be fetched, however often. */
export class Unfetched extends Error {
  constructor(readonly forget: () => void, cause: unknown) {
    super("unfetched", { cause });
  }
}

const AGAIN_AFTER_MS = [500, 2_000];

/**
 * A component in a file of its own, as React's `lazy` makes it; but a file that cannot be fetched is asked for again:
 * twice by itself, and whenever the Boundary around is tried again.
 */
export function lazy<P extends object>(load: () => Promise<{ default: ComponentType<P> }>): ComponentType<P> {
  async function fetched(attempt = 0): Promise<{ default: ComponentType<P> }> {
    try {
      return { default: (await load()).default };
    } catch (cause) {
      const delay_ms = AGAIN_AFTER_MS[attempt];
      if (delay_ms === undefined) throw new Unfetched(() => (Part = begin()), cause);
      await new Promise((resolve) => setTimeout(resolve, delay_ms));
      fetchStyles();
      return fetched(attempt + 1);
    }
  }
  // A failure is React's for good: another try is another component to it.
  const begin = () => reactLazy(() => fetched()) as unknown as ComponentType<P>;
  let Part = begin();
  return (props: P) => createElement(Part, props);
}

/** Those that came with a file and could not be fetched either: nobody else asks for them again. */
function fetchStyles() {
  for (const link of document.querySelectorAll<HTMLLinkElement>('link[rel="stylesheet"]'))
    if (!link.sheet) link.replaceWith(link.cloneNode());
}
