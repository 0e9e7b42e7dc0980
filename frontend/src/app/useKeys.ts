import { useEffect } from "react";
import { isApple, isComposing, latin } from "@/lib/keys";
import type { Panel } from "./panels";

/**
 * Keys that work everywhere: Ctrl-K and `Ctrl-/` (⌘ on a Mac, where Ctrl-K cuts a line), `?` outside of fields, Escape
 * back to the message field.
 */
export function useKeys(open: (panel: Panel) => void): void {
  useEffect(() => {
    function pressed(event: KeyboardEvent) {
      if (isComposing(event) || document.querySelector("dialog[open]:modal")) return;
      const isCtrl = (isApple ? event.metaKey : event.ctrlKey) && !event.altKey;
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
