import { goHome, isLost } from "./focus";

const STOPS = "button, input, select, textarea, a[href]";

/**
 * The focus does not go with what had it: when that is taken out of the page, the next stop of its dialog has the
 * focus, or its message, or what goHome finds. Whether the Tab key led to it stands at the page, for the style sheets.
 * Until the answer is called.
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
    tabbed("");
  };
  const tabbed = (key: string) => document.documentElement.toggleAttribute("data-tabbed", key === "Tab");
  const typed = ({ key }: KeyboardEvent) => void tabbed(key);

  const observer = new MutationObserver(look);
  observer.observe(document.body, { childList: true, subtree: true });
  document.addEventListener("focusin", look);
  document.addEventListener("pointerdown", pressed, true);
  document.addEventListener("keydown", typed, true);
  return () => {
    observer.disconnect();
    document.removeEventListener("focusin", look);
    document.removeEventListener("pointerdown", pressed, true);
    document.removeEventListener("keydown", typed, true);
  };
}
