import { useEffect, useLayoutEffect, useRef, type ReactNode } from "react";
import { giveBack } from "@/lib/focus";
import { isComposing } from "@/lib/keys";
import { useLayer } from "@/lib/layers";

interface Props {
  /** What is asked, for those who do not see the question stand there. */
  label: string;
  className?: string;
  /** Nothing is to be done. */
  no(): void;
  children: ReactNode;
}

/**
 * Asks before something is done that cannot be undone. Its first button has the focus; Escape answers the question and
 * closes nothing else; afterwards the focus is where it was.
 */
export function Question({ label, className, no, children }: Props) {
  const ref = useRef<HTMLDivElement>(null);

  useLayoutEffect(() => {
    const element = ref.current;
    const before = document.activeElement;
    element?.querySelector("button")?.focus({ preventScroll: true });
    element?.scrollIntoView?.({ block: "nearest" }); // where nothing lies over it
    return () => {
      if (element?.contains(document.activeElement)) setTimeout(() => giveBack(before));
    };
  }, []);

  useLayer(true, no);
  useEffect(() => {
    function pressed(event: KeyboardEvent) {
      const element = ref.current;
      if (event.key !== "Escape" || isComposing(event) || !element) return;
      const { activeElement: at } = document;
      const elsewhere = at?.closest("textarea, input, [popover], dialog");
      if (elsewhere && !elsewhere.contains(element) && !element.contains(at)) return;
      event.preventDefault(); // or a dialog around it would close too
      event.stopPropagation();
      no();
    }
    document.addEventListener("keydown", pressed, true);
    return () => document.removeEventListener("keydown", pressed, true);
  }, [no]);

  return <div ref={ref} role="group" aria-label={label} className={className}>{children}</div>;
}
