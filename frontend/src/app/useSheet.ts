import { useEffect, useLayoutEffect, useRef } from "react";
import { giveBack, goHome, isLost } from "@/lib/focus";

/**
 * On a phone the rooms are a sheet: the focus goes into it and back, and Escape closes it wherever the focus is; on a
 * wide screen there is no sheet to be open.
 */
export function useSheet(open: boolean, close: () => void) {
  const ref = useRef<HTMLDivElement>(null);

  useLayoutEffect(() => {
    if (!open) return;
    const sheet = ref.current;
    const before = document.activeElement;
    sheet?.querySelector<HTMLElement>("button, a")?.focus();
    return () => {
      // What lies under the sheet is inert until this turn is over; and somebody else may have taken the focus by then.
      setTimeout(() => {
        if (isLost() || sheet?.contains(document.activeElement)) giveBack(before);
      });
    };
  }, [open]);

  useEffect(() => {
    if (!open) return;
    const narrow = matchMedia("(max-width: 760px)");
    const pressed = (event: KeyboardEvent) => {
      if (event.key === "Escape" && !document.querySelector("dialog[open]:modal")) close();
    };
    narrow.addEventListener("change", close);
    document.addEventListener("keydown", pressed);
    return () => {
      narrow.removeEventListener("change", close);
      document.removeEventListener("keydown", pressed);
    };
  }, [open, close]);

  useEffect(() => {
    const sheet = ref.current;
    if (open || !sheet) return;
    // On its way out of sight it still takes the focus, of a dialog that was closed meanwhile, and then loses it.
    const gone = ({ target }: Event) => {
      if (target === sheet && (isLost() || sheet.contains(document.activeElement))) goHome();
    };
    sheet.addEventListener("transitionend", gone);
    return () => sheet.removeEventListener("transitionend", gone);
  }, [open]);

  return ref;
}
