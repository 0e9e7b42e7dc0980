import { useCallback, useState, type FocusEvent, type KeyboardEvent, type RefObject } from "react";
import type { VirtualizerHandle } from "virtua";

/** One Tab stop for the whole log; the arrow keys go from message to message. */
export function useRoving(list: RefObject<VirtualizerHandle | null>, scroller: RefObject<HTMLElement | null>, rows: readonly { key: string }[]) {
  const [key, setKey] = useState<string | null>(null);
  const chosen = rows.findIndex((row) => row.key === key);
  const active = chosen >= 0 ? chosen : rows.length - 1;

  const focusRow = useCallback(
    (index: number) => {
      const row = rows[index];
      if (!row) return;
      setKey(row.key);
      list.current?.scrollToIndex(index, { align: "nearest" });
      requestAnimationFrame(() => scroller.current?.querySelector<HTMLElement>(`[data-row="${index}"] article`)?.focus({ preventScroll: true }));
    },
    [list, scroller, rows],
  );

  const pressed = (event: KeyboardEvent) => {
    const target = event.target as HTMLElement;
    if (target.tagName !== "ARTICLE") return;
    const to = { ArrowUp: active - 1, ArrowDown: active + 1, Home: 0, End: rows.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    focusRow(Math.min(rows.length - 1, Math.max(0, to)));
  };

  const focused = (event: FocusEvent) => {
    const index = (event.target as HTMLElement).closest<HTMLElement>("[data-row]")?.dataset.row;
    const row = index === undefined ? undefined : rows[Number(index)];
    if (row) setKey(row.key);
  };

  return { active, pressed, focused };
}
