import { useEffect, useRef } from "react";

/** On a phone the rooms are a sheet: the focus goes into it and back; on a wide screen there is no sheet to be open. */
export function useSheet(open: boolean, close: () => void) {
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) return;
    const before = document.activeElement;
    const narrow = matchMedia("(max-width: 760px)");
    ref.current?.querySelector<HTMLElement>("button, a")?.focus();
    narrow.addEventListener("change", close);
    return () => {
      narrow.removeEventListener("change", close);
      if (before instanceof HTMLElement) setTimeout(() => before.focus());
    };
  }, [open, close]);
  return ref;
}
