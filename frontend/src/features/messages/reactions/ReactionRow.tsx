import { useCallback, useEffect, useId, useState } from "react";
import { Boundary, nothing } from "@/components/ui/Boundary";
import { t } from "@/lib/language";
import { lazy } from "@/lib/lazy";
import { useStore } from "@/lib/store";
import type { Emoji, Message } from "@/types/protocol";
import type { ReactionHandlers } from "./handlers";
import { keyOf, pillsOf, type Wishes } from "./wishes";
import styles from "./ReactionRow.module.css";

interface Props {
  message: Message;
  /** Only the message that has the keyboard offers its reactions to the Tab key. */
  reachable: boolean;
  handlers: ReactionHandlers;
}

/** A pointer that only passes by asks nothing. */
const LINGERS_MS = 120;

const ReactionNames = lazy(() => import("./ReactionNames"));

/** What people answered a message with: a click adds mine or takes it back, a look at one tells whose it is. */
export function ReactionRow({ message, reachable, handlers }: Props) {
  const key = keyOf(message);
  const wishes = useStore(handlers.wishes, useCallback((all: Wishes) => all[key], [key]));
  const [looked, setLooked] = useState<{ emoji: string; pill: Element } | null>(null);
  const pills = pillsOf(message, wishes);
  const shown = pills.find(({ emoji }) => emoji === looked?.emoji);
  const names = useWho(message, shown !== undefined, handlers.who)?.[looked?.emoji ?? ""];
  const id = useId();
  const look = (emoji: string, pill: Element) => setLooked({ emoji, pill });
  const lookAway = () => setLooked(null);
  if (pills.length === 0) return null;
  return (
    <div className={styles.row} role="group" aria-label={t("Reactions")}>
      {pills.map(({ emoji, count, mine }) => (
        <button key={emoji} type="button" className={styles.pill} aria-pressed={mine} tabIndex={reachable ? 0 : -1}
          aria-describedby={names && emoji === shown?.emoji ? id : undefined} onClick={({ currentTarget }) => {
            // It goes, and would take the focus with it.
            if (mine && count === 1) currentTarget.closest("article")?.focus({ preventScroll: true });
            handlers.react(message, emoji, !mine);
          }}
          onFocus={({ currentTarget }) => look(emoji, currentTarget)} onBlur={lookAway}
          onMouseEnter={({ currentTarget }) => look(emoji, currentTarget)} onMouseLeave={lookAway}>
          <span className={styles.emoji}>{emoji}</span> <span>{count}</span>
        </button>
      ))}
      {shown && looked && names && names.length > 0 && (
        <Boundary instead={nothing}>
          <ReactionNames key={looked.emoji} id={id} pill={looked.pill} names={names} count={shown.count} />
        </Boundary>
      )}
    </div>
  );
}

/** Who reacted, asked for when somebody looks, and again when the message has changed. */
function useWho(message: Message, looks: boolean, who: Props["handlers"]["who"]) {
  const [known, setKnown] = useState<{ rev: number; names: Record<Emoji, string[]> } | null>(null);
  const wanted = looks && known?.rev !== message.rev;
  useEffect(() => {
    if (!wanted) return;
    let gone = false;
    const nothing = () => {}; // then nobody is named
    const timer = setTimeout(() => {
      who(message).then((names) => gone || setKnown({ rev: message.rev, names }), nothing);
    }, LINGERS_MS);
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [wanted, message, who]);
  return known?.names;
}
