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

const STOPS = "button, input, select, textarea, a[href]";

/**
 * The focus does not go with what had it: when that is taken out of the page, the next stop of its dialog has the
 * focus, or its message, or what goHome finds. Until the answer is called.
 */
export function keepFocus(): () => void {
  let was: Element | null = null;
  let [dialog, article]: (HTMLElement | null)[] = [null, null];
  let at = -1;
  const stops = () => (dialog?.isConnected ? [...dialog.querySelectorAll<HTMLElement>(STOPS)] : []);

  function look() {
    const now = document.activeElement;
    if (!isLost() && now) {
      [was, dialog, article] = [now, now.closest("dialog"), now.closest("article")];
      at = stops().indexOf(now as HTMLElement);
    } else if (was && !was.isConnected) {
      was = null;
      const left = stops();
      const next = left[Math.min(at, left.length - 1)] ?? (article?.isConnected ? article : null);
      if (next) next.focus({ preventScroll: true });
      else goHome();
    }
  }
  /** Whoever presses elsewhere lets go of it themselves. */
  const pressed = ({ target }: Event) => {
    if (!(target instanceof Node && was?.contains(target))) was = null;
  };

  const observer = new MutationObserver(look);
  observer.observe(document.body, { childList: true, subtree: true });
  document.addEventListener("focusin", look);
  document.addEventListener("pointerdown", pressed, true);
  return () => {
    observer.disconnect();
    document.removeEventListener("focusin", look);
    document.removeEventListener("pointerdown", pressed, true);
  };
}
