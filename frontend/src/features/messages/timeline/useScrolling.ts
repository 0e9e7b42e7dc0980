import { useCallback, useEffect, useLayoutEffect, useRef, useState, type RefObject } from "react";
import type { VirtualizerHandle } from "virtua";
import type { Stand } from "./stands";
import type { Place } from "./timeline";

const STICK_WITHIN_PX = 100;
const LOAD_WITHIN_PX = 600;
const ABOVE_FIRST_UNREAD_PX = 56;
const AT_END_PX = 24;
/** More than any room is high. */
const BEYOND_PX = 1e9;
/**
 * The list has found its place when so long no row was measured; what scrolls before without an act, nobody has
 * scrolled.
 */
const SETTLED_MS = 500;
/** What a person scrolls with, and so before it scrolls. */
const ACTS = ["wheel", "touchmove", "pointerdown", "keydown"] as const;

interface Needs {
  scroller: RefObject<HTMLElement | null>;
  list: RefObject<VirtualizerHandle | null>;
  /** Changes whenever something was added; the end is followed as long as it sticks. */
  rows: readonly { kind: string; key: string }[];
  /** Where to stand: gone to once per `key`. Null until there is something to show. */
  place: Place | null;
  /** Whether that is a permalink's. */
  linked: boolean;
  /** False while a stretch away from the newest messages is shown. */
  canStick: boolean;
  nearTop(): void;
  nearEnd(): void;
  /** The rows that stand on the screen, told when they may be others; or that the person has gone to the end. */
  seen(rows: { first: number; last: number } | "end"): void;
  /** Where the person stands now. */
  stands(stand: Stand): void;
}

/** Sticks to the end within 100 px of it, stands still otherwise, and asks for more near either edge. */
export function useScrolling({
  scroller, list, rows, place, linked, canStick, nearTop, nearEnd, seen, stands,
}: Needs) {
  const [atEnd, setAtEnd] = useState(true);
  /** Something came to an end that was followed: more is likely to. */
  const [follows, setFollows] = useState(false);
  const sticks = useRef(true);
  const placed = useRef<string | null>(null);
  const wasLinked = useRef(linked);
  /** The row that it was placed at. */
  const goal = useRef(-1);
  /** Set while the list finds its place: until a person moves it, or it has stood still for long enough. */
  const placing = useRef<ReturnType<typeof setTimeout>>(undefined);
  const settled = useRef<() => void>(() => undefined);
  const looking = useRef(0);
  const last_px = useRef(0);
  /** Left the end, so that being there again is the person's doing. */
  const away = useRef(false);
  const many = useRef(0);
  const lastSent = useRef<string | undefined>(undefined);

  /**
   * Looks at what is on the screen when it has been drawn: never in a page that nobody sees, nor before the list has
   * its place.
   */
  const look = useCallback(() => {
    cancelAnimationFrame(looking.current);
    looking.current = requestAnimationFrame(() => {
      const rows =
        scroller.current && placed.current !== null && document.visibilityState === "visible"
          ? onScreen(scroller.current, sticks.current && canStick)
          : null;
      if (!rows) return;
      seen(rows);
      const stand = sticks.current && canStick ? "end" : rows.stand;
      if (stand) stands(stand);
    });
  }, [scroller, canStick, seen, stands]);

  const found = useCallback(() => {
    clearTimeout(placing.current);
    placing.current = undefined;
  }, []);

  const toEnd = useCallback(() => {
    const element = scroller.current;
    if (!element) return;
    found();
    sticks.current = true;
    away.current = false;
    setAtEnd(true);
    element.scrollTop = element.scrollHeight;
    last_px.current = element.scrollTop;
    list.current?.scrollTo(BEYOND_PX); // or the list goes back to the place that it was on its way to
  }, [scroller, list, found]);

  const follow = useCallback(() => {
    const element = scroller.current;
    if (!element || !sticks.current || !canStick) return;
    element.scrollTop = element.scrollHeight;
    last_px.current = element.scrollTop;
  }, [scroller, canStick]);

  const finding = useCallback(() => {
    found();
    placing.current = setTimeout(() => settled.current(), SETTLED_MS);
  }, [found]);

  const resized = useCallback(() => {
    if (placing.current) finding();
    follow();
    look();
  }, [follow, look, finding]);

  const scrolled = useCallback(() => {
    const element = scroller.current;
    if (!element || placed.current === null) return;
    const left_px = element.scrollHeight - element.scrollTop - element.clientHeight;
    // Content that grows under a pinned end is not a person scrolling away: only moving up lets go. And a list that has
    // not measured its rows yet may seem to end where it stands.
    const isAtEnd = left_px <= STICK_WITHIN_PX;
    if (!isAtEnd && element.scrollTop < last_px.current) sticks.current = false;
    if (!placing.current) {
      if (isAtEnd) sticks.current = true;
      if (away.current && left_px <= AT_END_PX && canStick) seen("end");
    }
    away.current = left_px > AT_END_PX && !sticks.current;
    look();
    last_px.current = element.scrollTop;
    setAtEnd(sticks.current || (!!placing.current && isAtEnd));
    if (element.scrollTop < LOAD_WITHIN_PX) nearTop();
    if (left_px < LOAD_WITHIN_PX) nearEnd();
  }, [scroller, canStick, nearTop, nearEnd, look, seen]);

  const goTo = useCallback(({ index, align, top_px = ABOVE_FIRST_UNREAD_PX }: Exclude<Place, { align: "end" }>) => {
    goal.current = index;
    list.current?.scrollToIndex(index, { align, offset: align === "start" ? -top_px : 0 });
  }, [list]);

  useLayoutEffect(() => {
    if (place === null) return;
    if (placed.current === place.key) {
      // Rows came before it while the list was on its way, by the number that it had.
      if (placing.current && place.align !== "end" && place.index !== goal.current) goTo(place);
      return;
    }
    const isNew = place.align === "start" && place.top_px === undefined;
    const stays = placed.current !== null && isNew && !sticks.current;
    const leaves = wasLinked.current && !linked && sticks.current; // a permalink, for the end, where they are
    placed.current = place.key;
    wasLinked.current = linked;
    if (stays) return; // something new, and the person is reading elsewhere
    away.current = false;
    look();
    if (place.align === "end" || leaves) toEnd();
    finding();
    if (place.align === "end" || leaves) return;
    sticks.current = false;
    last_px.current = 0;
    goTo(place);
    requestAnimationFrame(scrolled);
  }, [place, linked, goTo, toEnd, scrolled, look, finding]);

  useLayoutEffect(() => {
    const newest = rows.at(-1);
    const justSent = newest?.kind === "pending" && newest.key !== lastSent.current;
    if (newest?.kind === "pending") lastSent.current = newest.key;
    const grew = rows.length > many.current;
    if (grew && many.current > 0) setFollows(sticks.current && canStick);
    many.current = rows.length;
    if (justSent) toEnd();
    else if (!grew) follow(); // what is new is followed when it is measured, and not laid out twice
    // A page may hold few messages: what does not fill the screen cannot be scrolled to ask for more.
    const element = scroller.current;
    if (!element || !list.current || placed.current === null) return;
    look();
    if (sticks.current && canStick) {
      const { scrollSize, viewportSize } = list.current; // as it knows them: nothing is laid out for that
      if (scrollSize - viewportSize < LOAD_WITHIN_PX) nearTop();
      return;
    }
    if (element.scrollTop < LOAD_WITHIN_PX) nearTop();
    if (element.scrollHeight - element.scrollTop - element.clientHeight < LOAD_WITHIN_PX) nearEnd();
  }, [rows, follow, toEnd, scroller, list, canStick, nearTop, nearEnd, look]);

  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const observer = new ResizeObserver(resized);
    observer.observe(element);
    document.addEventListener("visibilitychange", look);
    const acted = () => {
      if (!placing.current) return;
      found();
      away.current = element.scrollHeight - element.scrollTop - element.clientHeight > AT_END_PX && !sticks.current;
    };
    settled.current = () => {
      acted();
      scrolled();
    };
    for (const act of ACTS) element.addEventListener(act, acted, { passive: true });
    return () => {
      observer.disconnect();
      for (const act of ACTS) element.removeEventListener(act, acted);
      document.removeEventListener("visibilitychange", look);
    };
  }, [scroller, resized, scrolled, look, found]);
  useEffect(() => () => {
    cancelAnimationFrame(looking.current);
    found();
  }, [found]);

  /** A person asks for the end, and passes by what lies before it. */
  const leap = useCallback(() => {
    toEnd();
    if (canStick) seen("end");
  }, [toEnd, canStick, seen]);

  return { atEnd, follows: follows && atEnd, leap, resized, scrolled };
}

/**
 * The first and the last row of which the end, or as much as fits, is within the log's edges, and where the first
 * message among them stands. Hidden ones are being measured, in this frame: who `follows` waits for that. The rows are
 * looked at from below, where most people are.
 */
function onScreen(
  scroller: HTMLElement, follows: boolean,
): { first: number; last: number; stand: Stand | null } | null {
  const { top, bottom } = scroller.getBoundingClientRect();
  let [first, last] = [-1, -1];
  let stand: Stand | null = null;
  for (const row of [...scroller.querySelectorAll<HTMLElement>("[data-row]")].reverse()) {
    const edges = row.getBoundingClientRect();
    if (edges.height === 0) continue;
    if (edges.bottom <= top) break;
    const isHidden = getComputedStyle(row).visibility === "hidden";
    if (isHidden && follows) return null;
    if (isHidden || (edges.bottom > bottom + 1 && (edges.top > top || edges.bottom < bottom))) continue;
    first = Number(row.dataset.row);
    if (last < 0) last = first;
    const seq = Number(row.querySelector<HTMLElement>("[data-seq]")?.dataset.seq);
    if (seq) stand = { seq, top_px: edges.top - top };
  }
  return last < 0 ? null : { first, last, stand };
}
