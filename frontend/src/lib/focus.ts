/** The message field, and none in which a message is edited. */
const FIELD = "main textarea:not(article textarea)";

/**
 * Where the focus goes when what had it is gone: the message field, or where that would raise a keyboard, the way to
 * the rooms.
 */
export function goHome(): void {
  const places = matchMedia("(pointer: fine)").matches
    ? [FIELD, "[data-home]"]
    : ["[data-home]", FIELD];
  for (const place of [...places, "main"]) {
    document.querySelector<HTMLElement>(place)?.focus({ preventScroll: true });
    if (!isLost()) return;
  }
}

/** Nothing has the focus: the next key would go nowhere. */
export const isLost = (): boolean => document.activeElement === null || document.activeElement === document.body;

/**
 * Back to where it came from, if that is still there to be seen: what is hidden does not take it, and then it stays in
 * what is left.
 */
export function giveBack(before: Element | null, left?: Element): void {
  if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
  if (isLost() || left?.contains(document.activeElement)) goHome();
}
