import { useCallback, useEffect, useLayoutEffect, useRef, useState, type RefObject } from "react";
import type { VirtualizerHandle } from "virtua";
import type { Place } from "./timeline";

const STICK_WITHIN_PX = 100;
const LOAD_WITHIN_PX = 600;
const ABOVE_FIRST_UNREAD_PX = 56;

interface Needs {
  scroller: RefObject<HTMLElement | null>;
  list: RefObject<VirtualizerHandle | null>;
  /** Changes whenever something was added; the end is followed as long as it sticks. */
  rows: readonly { kind: string; key: string }[];
  /** Where to stand: gone to once per `key`. Null until there is something to show. */
  place: Place | null;
  /** False while a stretch away from the newest messages is shown. */
  canStick: boolean;
  nearTop(): void;
  nearEnd(): void;
}

/** Sticks to the end within 100 px of it, stands still otherwise, and asks for more near either edge. */
export function useScrolling({ scroller, list, rows, place, canStick, nearTop, nearEnd }: Needs) {
  const [atEnd, setAtEnd] = useState(true);
  const sticks = useRef(true);
  const placed = useRef<string | null>(null);
  const last_px = useRef(0);
  const lastSent = useRef<string | undefined>(undefined);

  const toEnd = useCallback(() => {
    const element = scroller.current;
    if (!element) return;
    sticks.current = true;
    setAtEnd(true);
    element.scrollTop = element.scrollHeight;
  }, [scroller]);

  const follow = useCallback(() => {
    const element = scroller.current;
    if (element && sticks.current && canStick) element.scrollTop = element.scrollHeight;
  }, [scroller, canStick]);

  const scrolled = useCallback(() => {
    const element = scroller.current;
    if (!element || placed.current === null) return;
    const left_px = element.scrollHeight - element.scrollTop - element.clientHeight;
    // Content that grows under a pinned end is not a person scrolling away: only moving up lets go.
    if (left_px <= STICK_WITHIN_PX) sticks.current = true;
    else if (element.scrollTop < last_px.current) sticks.current = false;
    last_px.current = element.scrollTop;
    setAtEnd(sticks.current);
    if (element.scrollTop < LOAD_WITHIN_PX) nearTop();
    if (left_px < LOAD_WITHIN_PX) nearEnd();
  }, [scroller, nearTop, nearEnd]);

  useLayoutEffect(() => {
    if (place === null || placed.current === place.key) return;
    placed.current = place.key;
    if (place.align === "end") return toEnd();
    sticks.current = false;
    last_px.current = 0;
    const offset = place.align === "start" ? -ABOVE_FIRST_UNREAD_PX : 0;
    list.current?.scrollToIndex(place.index, { align: place.align, offset });
    requestAnimationFrame(scrolled);
  }, [place, list, toEnd, scrolled]);

  useLayoutEffect(() => {
    const newest = rows.at(-1);
    const justSent = newest?.kind === "pending" && newest.key !== lastSent.current;
    if (newest?.kind === "pending") lastSent.current = newest.key;
    if (justSent) toEnd();
    else follow();
    // A page may hold few messages: what does not fill the screen cannot be scrolled to ask for more.
    const element = scroller.current;
    if (element && placed.current !== null && element.scrollTop < LOAD_WITHIN_PX) nearTop();
  }, [rows, follow, toEnd, scroller, nearTop]);

  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const observer = new ResizeObserver(follow);
    observer.observe(element);
    return () => observer.disconnect();
  }, [scroller, follow]);

  return { atEnd, toEnd, follow, scrolled };
}
