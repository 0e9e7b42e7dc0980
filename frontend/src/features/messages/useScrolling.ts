import { useCallback, useEffect, useLayoutEffect, useRef, useState, type RefObject } from "react";
import type { VirtualizerHandle } from "virtua";
import type { Place } from "./timeline";

const STICK_WITHIN_PX = 100;
const LOAD_WITHIN_PX = 600;
const ABOVE_FIRST_UNREAD_PX = 56;
const AT_END_PX = 24;
/** So long the list finds its place, and what it scrolls meanwhile nobody has scrolled. */
const PLACING_MS = 500;

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
  /** The rows that stand on the screen, told when they may be others; or that the person has gone to the end. */
  seen(rows: { first: number; last: number } | "end"): void;
}

/** Sticks to the end within 100 px of it, stands still otherwise, and asks for more near either edge. */
export function useScrolling({ scroller, list, rows, place, canStick, nearTop, nearEnd, seen }: Needs) {
  const [atEnd, setAtEnd] = useState(true);
  const sticks = useRef(true);
  const placed = useRef<string | null>(null);
  const placed_ms = useRef(0);
  const looking = useRef(0);
  const last_px = useRef(0);
  /** Left the end, so that being there again is the person's doing. */
  const away = useRef(false);
  const lastSent = useRef<string | undefined>(undefined);

  /** Looks at what is on the screen when it has been drawn: never in a page that nobody sees, nor before the list has its place. */
  const look = useCallback(() => {
    cancelAnimationFrame(looking.current);
    looking.current = requestAnimationFrame(() => {
      const rows = scroller.current && placed.current !== null && document.visibilityState === "visible" ? onScreen(scroller.current) : null;
      if (rows) seen(rows);
    });
  }, [scroller, seen]);

  const toEnd = useCallback(() => {
    const element = scroller.current;
    if (!element) return;
    sticks.current = true;
    away.current = false;
    setAtEnd(true);
    element.scrollTop = element.scrollHeight;
  }, [scroller]);

  const follow = useCallback(() => {
    const element = scroller.current;
    if (element && sticks.current && canStick) element.scrollTop = element.scrollHeight;
  }, [scroller, canStick]);

  const resized = useCallback(() => {
    follow();
    look();
  }, [follow, look]);

  const scrolled = useCallback(() => {
    const element = scroller.current;
    if (!element || placed.current === null) return;
    const left_px = element.scrollHeight - element.scrollTop - element.clientHeight;
    // Content that grows under a pinned end is not a person scrolling away: only moving up lets go.
    if (left_px <= STICK_WITHIN_PX) sticks.current = true;
    else if (element.scrollTop < last_px.current) sticks.current = false;
    if (away.current && left_px <= AT_END_PX && canStick && performance.now() - placed_ms.current > PLACING_MS) seen("end");
    away.current = left_px > AT_END_PX && !sticks.current;
    look();
    last_px.current = element.scrollTop;
    setAtEnd(sticks.current);
    if (element.scrollTop < LOAD_WITHIN_PX) nearTop();
    if (left_px < LOAD_WITHIN_PX) nearEnd();
  }, [scroller, canStick, nearTop, nearEnd, look, seen]);

  useLayoutEffect(() => {
    if (place === null || placed.current === place.key) return;
    const stays = placed.current !== null && place.align === "start" && !sticks.current;
    placed.current = place.key;
    if (stays) return; // something new, and the person is reading elsewhere
    placed_ms.current = performance.now();
    away.current = false;
    look();
    if (place.align === "end") return toEnd();
    sticks.current = false;
    last_px.current = 0;
    const offset = place.align === "start" ? -ABOVE_FIRST_UNREAD_PX : 0;
    list.current?.scrollToIndex(place.index, { align: place.align, offset });
    requestAnimationFrame(scrolled);
  }, [place, list, toEnd, scrolled, look]);

  useLayoutEffect(() => {
    const newest = rows.at(-1);
    const justSent = newest?.kind === "pending" && newest.key !== lastSent.current;
    if (newest?.kind === "pending") lastSent.current = newest.key;
    if (justSent) toEnd();
    else follow();
    // A page may hold few messages: what does not fill the screen cannot be scrolled to ask for more.
    const element = scroller.current;
    if (!element || placed.current === null) return;
    look();
    if (element.scrollTop < LOAD_WITHIN_PX) nearTop();
    if (element.scrollHeight - element.scrollTop - element.clientHeight < LOAD_WITHIN_PX) nearEnd();
  }, [rows, follow, toEnd, scroller, nearTop, nearEnd, look]);

  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const observer = new ResizeObserver(resized);
    observer.observe(element);
    document.addEventListener("visibilitychange", look);
    return () => {
      observer.disconnect();
      document.removeEventListener("visibilitychange", look);
    };
  }, [scroller, resized, look]);
  useEffect(() => () => cancelAnimationFrame(looking.current), []);

  /** A person asks for the end, and passes by what lies before it. */
  const leap = useCallback(() => {
    toEnd();
    if (canStick) seen("end");
  }, [toEnd, canStick, seen]);

  return { atEnd, leap, resized, scrolled };
}

/** The first and the last row of which the end, or as much as fits, is within the log's edges. Hidden ones are being measured. */
function onScreen(scroller: HTMLElement): { first: number; last: number } | null {
  const { top, bottom } = scroller.getBoundingClientRect();
  let [first, last] = [Number.POSITIVE_INFINITY, -1];
  for (const row of scroller.querySelectorAll<HTMLElement>("[data-row]")) {
    const edges = row.getBoundingClientRect();
    const fits = edges.bottom <= bottom + 1 || (edges.top <= top && edges.bottom >= bottom);
    if (edges.bottom <= top || edges.height === 0 || !fits || getComputedStyle(row).visibility === "hidden") continue;
    const index = Number(row.dataset.row);
    first = Math.min(first, index);
    last = Math.max(last, index);
  }
  return last < 0 ? null : { first, last };
}
