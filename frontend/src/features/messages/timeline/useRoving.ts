import { useCallback, useState, type FocusEvent, type KeyboardEvent, type RefObject } from "react";
import type { VirtualizerHandle } from "virtua";

interface Stop {
  key: string;
  kind: string;
}

const isStop = ({ kind }: Stop) => kind === "message" || kind === "pending";

/**
 * One Tab stop for the whole log: the newest message, or the one that has the keyboard; the arrow keys go from message
 * to message. `entered` while the keyboard is in the log.
 */
export function useRoving(
  list: RefObject<VirtualizerHandle | null>, scroller: RefObject<HTMLElement | null>, rows: readonly Stop[],
) {
  const [key, setKey] = useState<string | null>(null);
  const chosen = key === null ? -1 : rows.findIndex((row) => row.key === key);
  const newest = rows.findLastIndex(isStop);
  const active = chosen >= 0 ? chosen : newest;

  const focusRow = useCallback(
    (index: number) => {
      const row = rows[index];
      if (!row) return;
      setKey(row.key);
      list.current?.scrollToIndex(index, { align: "nearest" });
      requestAnimationFrame(() =>
        scroller.current?.querySelector<HTMLElement>(`[data-row="${index}"] article`)?.focus({ preventScroll: true }),
      );
    },
    [list, scroller, rows],
  );

  const pressed = (event: KeyboardEvent) => {
    const target = event.target as HTMLElement;
    if (event.defaultPrevented || target.closest("textarea, input, [popover]") || !target.closest("article")) return;
    const to = {
      ArrowUp: rows.findLastIndex((row, index) => index < active && isStop(row)),
      ArrowDown: rows.findIndex((row, index) => index > active && isStop(row)),
      Home: rows.findIndex(isStop),
      End: newest,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    if (to >= 0) focusRow(to);
  };

  const focused = (event: FocusEvent) => {
    const index = (event.target as HTMLElement).closest<HTMLElement>("[data-row]")?.dataset.row;
    const row = index === undefined ? undefined : rows[Number(index)];
    if (row) setKey(row.key);
  };

  /** Whoever comes back later begins at the newest message again. A window that loses the focus has not left. */
  const left = ({ relatedTarget }: FocusEvent) => {
    if (relatedTarget instanceof Node && !scroller.current?.contains(relatedTarget)) setKey(null);
  };

  return { active, entered: chosen >= 0, pressed, focused, left };
}
