import { useCallback, useLayoutEffect, useMemo, useRef, useState, type ReactNode } from "react";
import { Virtualizer, type VirtualizerHandle } from "virtua";
import { Button } from "@/components/ui/Button";
import { Icon } from "@/components/ui/icons";
import { hasMessageAfter, type RoomLog } from "@/features/messages/log/log";
import { goHome } from "@/lib/focus";
import { t } from "@/lib/language";
import { drawnOnce } from "./drawnOnce";
import type { Seen } from "./reading";
import type { Stand } from "./stands";
import { firstPlace, isPrepended, spanOfRows, type Row, type Target } from "./timeline";
import { useRoving } from "./useRoving";
import { useScrolling } from "./useScrolling";
import styles from "./MessageList.module.css";

interface Props {
  label: string;
  log: RoomLog;
  rows: readonly Row[];
  ready: boolean;
  /** Each time that somebody goes to this room, or comes back: a further one without a target leads to the end. */
  visit: string;
  /** The message that a permalink names, or at which somebody stood before. */
  target: Target | null;
  renderRow(row: Row, active: boolean, entered: boolean): ReactNode;
  loadOlder(): void;
  loadNewer(): void;
  toNewest(): void;
  /** What stands on the screen, whenever that may be something else. */
  onSeen(seen: Seen): void;
  onStand(stand: Stand): void;
}

/** Rows are measured this far from the screen, so that none changes its guessed height in sight of anybody. */
const MEASURED_AHEAD_PX = 1200;

/**
 * Of an end that is followed so many rows stay, and go some at a time: the list would take out with each message what
 * it moves above the edge, and bring all that back in when no more come.
 */
const [KEPT, KEPT_STEP] = [48, 16];

export function MessageList({
  label, log, rows, ready, visit, target, renderRow, loadOlder, loadNewer, toNewest, onSeen, onStand,
}: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  const list = useRef<VirtualizerHandle>(null);
  const [held, setHeld] = useState({ rows, shift: false });
  if (held.rows !== rows) setHeld({ rows, shift: isPrepended(held.rows, rows) });
  const detached = log.window !== null;

  const place = useMemo(() => (ready ? firstPlace(log, rows, target) : null), [ready, log, rows, target]);
  const shown = useRef(rows);
  useLayoutEffect(() => void (shown.current = rows), [rows]);
  const seen = useCallback((seen: { first: number; last: number } | "end") => {
    const span = seen === "end" ? seen : spanOfRows(shown.current.slice(seen.first, seen.last + 1));
    if (span) onSeen(span);
  }, [onSeen]);
  const { atEnd, follows, leap, resized, scrolled } = useScrolling({
    scroller, list, rows, place, linked: target !== null, canStick: !detached,
    nearTop: loadOlder, nearEnd: loadNewer, seen, stands: onStand,
  });
  const roving = useRoving(list, scroller, rows);
  const inView = atEnd && !detached;
  const from = follows ? rows.length - (rows.length % KEPT_STEP) - KEPT : rows.length;
  const keeps = [...rows.keys()].filter((index) => index >= from || index === roving.active);
  const draw = useMemo(() => drawnOnce((row, index, active, entered, last) => (
    <div key={row.key} data-row={index} className={last ? styles.last : undefined}>
      {renderRow(row, active, entered)}
    </div>
  )), [renderRow]);

  // New is what came since, not what is being fetched around a permalink.
  const [reached, setReached] = useState({ generation: log.generation, cursor: log.cursor });
  if ((inView && reached.cursor !== log.cursor) || reached.generation !== log.generation) {
    setReached({ generation: log.generation, cursor: log.cursor });
  }
  const isNew = useMemo(() => hasMessageAfter(log, reached.cursor), [log, reached]);

  const leapNow = useRef(leap); // of the render in which the newest stretch is shown
  useLayoutEffect(() => void (leapNow.current = leap), [leap]);
  const leapSoon = () => void requestAnimationFrame(() => leapNow.current());
  const visited = useRef(visit);
  useLayoutEffect(() => {
    if (visited.current !== visit && !target) leapSoon();
    visited.current = visit;
  }, [visit, target]);
  const newest = () => {
    toNewest();
    leapSoon();
    goHome(); // the button goes
  };

  return (
    <div className={styles.frame}>
      {/* Before the log, so that the way back from the message field leads to the newest message. */}
      {!inView && rows.length > 0 && (
        <Button className={styles.pill} small look={isNew ? "solid" : "plain"} onClick={newest}>
          <Icon name="down" size={16} /> <span>{isNew ? t("New messages") : t("To the newest")}</span>
        </Button>
      )}
      <div ref={scroller} className={`${styles.log} ${follows ? styles.follows : ""}`} role="log" aria-label={label}
        aria-live="off" tabIndex={0} onScroll={scrolled} onKeyDown={roving.pressed} onFocus={roving.focused}
        onBlur={roving.left}>
        <div className={styles.spring} />
        <Virtualizer ref={list} scrollRef={scroller} data={rows} shift={held.shift} bufferSize={MEASURED_AHEAD_PX}
          keepMounted={keeps} onResize={resized}>
          {(row, index) => {
            const active = index === roving.active;
            return draw(row, index, active, active && roving.entered, index === rows.length - 1);
          }}
        </Virtualizer>
      </div>
    </div>
  );
}
