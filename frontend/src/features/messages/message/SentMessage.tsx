import {
  memo, useCallback, useEffect, useRef, useState, type KeyboardEvent, type MouseEvent,
  type PointerEvent,
} from "react";
import { Link } from "@/components/ui/Link";
import { PanelBoundary } from "@/components/ui/PanelBoundary";
import { ReactionRow } from "@/features/messages/reactions/ReactionRow";
import { keyOf, pillsOf, type Wishes } from "@/features/messages/reactions/wishes";
import { fullTime, timeOfDay, zone } from "@/lib/dates";
import { latin } from "@/lib/keys";
import { language, t } from "@/lib/language";
import { lazy } from "@/lib/lazy";
import { useStore, useValue } from "@/lib/store";
import { useLate } from "@/lib/useLate";
import type { Message } from "@/types/protocol";
import { chosen } from "./chosen";
import type { MessageHandlers } from "./handlers";
import { MessageActions, type MessageAction } from "./MessageActions";
import { MessageFrame } from "./MessageFrame";
import { MessageText } from "./MessageText";
import { spoken } from "./spoken";
import { inOneLine } from "./text";
import styles from "./Message.module.css";

interface Props {
  message: Message;
  startsGroup: boolean;
  mine: boolean;
  active: boolean;
  /** The keyboard is in it: then what it holds can be reached too. Otherwise the whole message is one stop. */
  entered: boolean;
  editing: boolean;
  highlighted: boolean;
  quoted: Message | undefined;
  handlers: MessageHandlers;
}

const RESTS_MS = 500;

const ReactionPalette = lazy(() => import("@/features/messages/reactions/ReactionPalette"));
const EditMessage = lazy(() => import("./EditMessage"), ({ text }) => <MessageText text={text} />);
const DeleteQuestion = lazy(() => import("./DeleteQuestion"));

export const SentMessage = memo(function SentMessage({
  message, startsGroup, mine, active, entered, editing, highlighted, quoted, handlers,
}: Props) {
  useValue(language);
  useValue(zone);
  const { room, seq, author, name, text, created_at_ms, deleted } = message;
  const [confirming, setConfirming] = useState(false);
  const [picking, setPicking] = useState(false);
  // A pointer is near: the actions of all others are not in the page, which is half of it. Where the keyboard comes in
  // they are too, but do not run along with the newest message while one follows the other.
  const [near, setNear] = useState(false);
  const rests = useLate(active, RESTS_MS);
  const frame = useRef<HTMLElement>(null);
  const reactButton = useRef<HTMLButtonElement>(null);
  const key = keyOf(message);
  const wishes = useStore(handlers.wishes, useCallback((all: Wishes) => all[key], [key]));
  const isChosen = useStore(chosen, useCallback((which) => which === key, [key]));
  const address = `/r/${encodeURIComponent(room)}/${seq}`;

  function act(action: MessageAction) {
    if (action === "react") setPicking(true);
    if (action === "reply") handlers.reply(message);
    if (action === "edit" && mine) handlers.setEditing(seq);
    if (action === "delete" && mine) setConfirming(true);
    if (action === "link") handlers.copyLink(seq);
    if (action !== "react") chosen.set(null);
  }

  const isFinger = useRef(false);
  const entering = ({ pointerType }: PointerEvent) => {
    isFinger.current = pointerType === "touch";
    setNear(!isFinger.current);
  };
  /** What a finger has touched shows its actions, until it touches that or something else. */
  const clicked = ({ target }: MouseEvent) => {
    if (isFinger.current && !deleted && !(target as Element).closest("button, a, textarea, [popover]"))
      chosen.set((which) => (which === key ? null : key));
  };

  /** The question goes away and takes the focus with it, unless the message takes it. */
  const decided = useCallback(() => {
    setConfirming(false);
    frame.current?.focus({ preventScroll: true });
  }, []);

  const isMine = (emoji: string) =>
    pillsOf(message, handlers.wishes.get()[key]).some((pill) => pill.emoji === emoji && pill.mine);

  function pressed(event: KeyboardEvent) {
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey || deleted) return;
    const action = ({ "+": "react", r: "reply", e: "edit", Delete: "delete", c: "link" } as const)[latin(event)];
    if (!action) return;
    event.preventDefault();
    act(action);
  }

  const time = (
    <Link to={address} className={styles.time} title={fullTime(created_at_ms)} tabIndex={entered ? 0 : -1}>
      <time dateTime={new Date(created_at_ms).toISOString()}>{timeOfDay(created_at_ms)}</time>
    </Link>
  );

  return (
    <MessageFrame ref={frame} author={author} name={name} startsGroup={startsGroup} time={time}
      highlighted={highlighted} byTable={message.via === "table"} data-seq={seq} data-client-id={message.client_id}
      data-state="sent" tabIndex={active ? 0 : -1} onKeyDown={pressed} onPointerEnter={entering}
      onPointerLeave={() => setNear(false)} onClick={clicked}
      aria-label={spoken(message, pillsOf(message, wishes), quoted)}>
      {message.reply_to !== undefined && !deleted && (
        <Quote seq={message.reply_to} quoted={quoted} reachable={entered} handlers={handlers} />
      )}
      {deleted ? (
        <p className={styles.gone}>{t("This message was deleted.")}</p>
      ) : editing ? (
        <PanelBoundary onClose={() => handlers.setEditing(null)}>
          <EditMessage text={text} kept={handlers.kept(seq)} keep={(typed) => handlers.keep(seq, typed)}
            save={(next) => handlers.edit(message, next)} close={() => handlers.setEditing(null)} />
        </PanelBoundary>
      ) : (
        <div className={styles.body}>
          <MessageText text={text} reachable={entered} />
          {message.edited_at_ms !== undefined && (
            <span className={styles.edited} title={fullTime(message.edited_at_ms)}>{t("edited")}</span>
          )}
        </div>
      )}
      {!deleted && <ReactionRow message={message} reachable={entered} handlers={handlers} />}
      {confirming && !deleted && (
        <PanelBoundary onClose={decided}>
          <DeleteQuestion remove={() => handlers.remove(message)} close={decided} />
        </PanelBoundary>
      )}
      {(near || entered || rests || picking || isChosen) && !deleted && !editing && (
        <MessageActions mine={mine} reachable={entered} act={act} reactButton={reactButton}
          below={isChosen ? time : null} />
      )}
      {picking && !deleted && (
        <PanelBoundary onClose={() => setPicking(false)}>
          <ReactionPalette anchor={reactButton} isMine={isMine} close={() => setPicking(false)}
            pick={(emoji) => handlers.react(message, emoji, !isMine(emoji))} />
        </PanelBoundary>
      )}
    </MessageFrame>
  );
});

interface QuoteProps {
  seq: number;
  quoted: Message | undefined;
  reachable: boolean;
  handlers: MessageHandlers;
}

function Quote({ seq, quoted, reachable, handlers: { jump, find } }: QuoteProps) {
  const unknown = !quoted;
  useEffect(() => {
    if (unknown) find(seq);
  }, [unknown, seq, find]);
  const what = ({ deleted, name, text }: Message) =>
    deleted ? t("A deleted message") : <span><bdi>{name}</bdi>: <bdi>{inOneLine(text)}</bdi></span>;
  const said = quoted ? what(quoted) : t("An earlier message");
  return (
    <button type="button" className={styles.quote} tabIndex={reachable ? 0 : -1} onClick={() => jump(seq)}>
      {said}
    </button>
  );
}
