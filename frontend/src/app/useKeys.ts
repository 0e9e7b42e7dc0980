import { useEffect } from "react";
import { isComposing, latin } from "@/lib/keys";
import type { Panel } from "./panels";

/** Keys that work everywhere: Ctrl-K, `Ctrl-/`, `?` outside of fields, Escape back to the message field. */
export function useKeys(open: (panel: Panel) => void): void {
  useEffect(() => {
    function pressed(event: KeyboardEvent) {
      if (isComposing(event) || document.querySelector("dialog[open]:modal")) return;
      const isCtrl = (event.ctrlKey || event.metaKey) && !event.altKey;
      const key = latin(event);
      if (isCtrl && key.toLowerCase() === "k") {
        event.preventDefault();
        open("switcher");
      } else if ((isCtrl && key === "/") || (key === "?" && !isField(event.target))) {
        event.preventDefault();
        open("keys");
      } else if (event.key === "Escape" && !isField(event.target)) {
        document.querySelector<HTMLElement>("main textarea")?.focus();
      }
    }
    document.addEventListener("keydown", pressed);
    return () => document.removeEventListener("keydown", pressed);
  }, [open]);
}

const isField = (target: EventTarget | null) =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
