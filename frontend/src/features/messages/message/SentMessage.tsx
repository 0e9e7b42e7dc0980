import { lazy, memo, Suspense, useCallback, useRef, useState, type KeyboardEvent, type PointerEvent } from "react";
import { Link } from "@/components/ui/Link";
import { ReactionRow } from "@/features/messages/reactions/ReactionRow";
import { keyOf, pillsOf, type Wishes } from "@/features/messages/reactions/wishes";
import { fullTime, timeOfDay } from "@/lib/dates";
import { language, t } from "@/lib/language";
import { apart } from "@/lib/sentences";
import { useStore, useValue } from "@/lib/store";
import type { Message } from "@/types/protocol";
import { EditMessage } from "./EditMessage";
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

const ReactionPalette = lazy(() => import("@/features/messages/reactions/ReactionPalette"));
const DeleteQuestion = lazy(() => import("./DeleteQuestion"));

export const SentMessage = memo(function SentMessage({
  message, startsGroup, mine, active, entered, editing, highlighted, quoted, handlers,
}: Props) {
  useValue(language);
  const { room, seq, author, name, text, created_at_ms, deleted } = message;
  const [confirming, setConfirming] = useState(false);
  const [picking, setPicking] = useState(false);
  // A pointer is near: the actions of all others are not in the page, which is half of it.
  const [near, setNear] = useState(false);
  const frame = useRef<HTMLElement>(null);
  const reactButton = useRef<HTMLButtonElement>(null);
  const key = keyOf(message);
  const wishes = useStore(handlers.wishes, useCallback((all: Wishes) => all[key], [key]));
  const address = `/r/${encodeURIComponent(room)}/${seq}`;

  function act(action: MessageAction) {
    if (action === "react") setPicking(true);
    if (action === "reply") handlers.reply(message);
    if (action === "edit" && mine) handlers.setEditing(seq);
    if (action === "delete" && mine) setConfirming(true);
    if (action === "link") handlers.copyLink(seq);
  }

  /** A finger leaves where it has touched: what it brought stays. */
  const left = ({ pointerType }: PointerEvent) => setNear(pointerType !== "mouse");

  /** The question goes away and takes the focus with it, unless the message takes it. */
  const decided = useCallback(() => {
    setConfirming(false);
    frame.current?.focus({ preventScroll: true });
  }, []);

  const isMine = (emoji: string) =>
    pillsOf(message, handlers.wishes.get()[key]).some((pill) => pill.emoji === emoji && pill.mine);

  function pressed(event: KeyboardEvent) {
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey || deleted) return;
    const action = ({ "+": "react", r: "reply", e: "edit", Delete: "delete", c: "link" } as const)[event.key];
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
      data-state="sent" tabIndex={active ? 0 : -1} onKeyDown={pressed} onPointerEnter={() => setNear(true)}
      onPointerLeave={left}
      aria-label={spoken(message, pillsOf(message, wishes), quoted)}>
      {message.reply_to !== undefined && !deleted && (
        <Quote seq={message.reply_to} quoted={quoted} reachable={entered} jump={handlers.jump} />
      )}
      {deleted ? (
        <p className={styles.gone}>{t("This message was deleted.")}</p>
      ) : editing ? (
        <EditMessage text={text} save={(next) => handlers.edit(message, next)}
          close={() => handlers.setEditing(null)} />
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
        <Suspense fallback={null}><DeleteQuestion remove={() => handlers.remove(message)} close={decided} /></Suspense>
      )}
      {(near || active || picking) && !deleted && !editing && (
        <MessageActions mine={mine} reachable={entered} act={act} reactButton={reactButton} />
      )}
      {picking && !deleted && (
        <Suspense fallback={null}>
          <ReactionPalette anchor={reactButton} isMine={isMine} close={() => setPicking(false)}
            pick={(emoji) => handlers.react(message, emoji, !isMine(emoji))} />
        </Suspense>
      )}
    </MessageFrame>
  );
});

interface QuoteProps {
  seq: number;
  quoted: Message | undefined;
  reachable: boolean;
  jump(seq: number): void;
}

function Quote({ seq, quoted, reachable, jump }: QuoteProps) {
  const what = ({ deleted, name, text }: Message) =>
    deleted ? t("A deleted message") : `${apart(name)}: ${inOneLine(text)}`;
  const said = quoted ? what(quoted) : t("An earlier message");
  return (
    <button type="button" className={styles.quote} tabIndex={reachable ? 0 : -1} onClick={() => jump(seq)}>
      {said}
    </button>
  );
}
