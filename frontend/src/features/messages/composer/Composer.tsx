import {
  useEffect, useLayoutEffect, useRef, useState, type ChangeEvent, type KeyboardEvent, type MouseEvent, type Ref,
} from "react";
import { Button } from "@/components/ui/Button";
import { Icon } from "@/components/ui/icons";
import { Named, named } from "@/components/ui/Named";
import {
  charactersIn, COUNTER_FROM, inOneLine, MAX_CHARACTERS, tidied, TOO_LONG,
} from "@/features/messages/message/text";
import { readDraft, writeDraft, type ReplyTo } from "@/lib/drafts";
import { isComposing } from "@/lib/keys";
import { inDigits, t } from "@/lib/language";
import { isTouch } from "@/lib/touch";
import styles from "./Composer.module.css";

interface Props {
  user: string;
  room: string;
  roomName: string;
  replyTo: ReplyTo | null;
  cancelReply(): void;
  /** Takes the message over at once, so that it survives a reload: the draft goes with the same key. */
  send(text: string): void;
  editLast(): void;
  typed(): void;
  stopped(): void;
  ref?: Ref<HTMLTextAreaElement>;
}

export function Composer({ user, room, roomName, replyTo, cancelReply, send, editLast, typed, stopped, ref }: Props) {
  const [text, setText] = useState(() => readDraft(user, room));
  const field = useRef<HTMLTextAreaElement | null>(null);
  const before = useRef(replyTo);
  const characters = charactersIn(text);
  const tooLong = characters > MAX_CHARACTERS;

  useLayoutEffect(() => grow(field.current), [text]);
  useEffect(() => field.current ? onWidth(field.current, grow) : undefined, []);
  useEffect(() => {
    if (replyTo && replyTo !== before.current) field.current?.focus();
    before.current = replyTo;
  }, [replyTo]);

  function changed({ target }: ChangeEvent<HTMLTextAreaElement>) {
    setText(target.value);
    writeDraft(user, room, target.value);
    if (target.value.trim()) typed();
    else stopped();
  }

  function submit() {
    const ready = tidied(text);
    if (!ready || tooLong) return;
    setText("");
    writeDraft(user, room, "");
    send(ready);
    stopped();
  }

  function pressed(event: KeyboardEvent<HTMLTextAreaElement>) {
    if (isComposing(event.nativeEvent)) return;
    // Where the keys are on the screen, only the arrow sends: there is no other way to a second line.
    if (event.key === "Enter" && !event.shiftKey && (!isTouch() || event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      submit();
    } else if (event.key === "ArrowUp" && !text && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      editLast();
    } else if (event.key === "Escape" && replyTo) cancelReply();
  }

  const attach = (element: HTMLTextAreaElement | null) => {
    field.current = element;
    if (typeof ref === "function") ref(element);
    else if (ref) ref.current = element;
  };

  return (
    <form className={styles.composer} onSubmit={(event) => { event.preventDefault(); submit(); }}>
      {replyTo && (
        <p className={styles.reply}>
          <span>
            <Named text={`${t("To {name}", { name: named(replyTo.name) })}: `} />
            <bdi>{inOneLine(replyTo.text, 90)}</bdi>
          </span>
          <Button look="icon" small aria-label={t("Do not reply")} onClick={cancelReply}>
            <Icon name="close" size={16} />
          </Button>
        </p>
      )}
      <div className={styles.pill}>
        <textarea ref={attach} aria-label={t("Message")} placeholder={t("Message {room}", { room: roomName })}
          value={text} rows={1} dir="auto" enterKeyHint={isTouch() ? "enter" : "send"}
          aria-invalid={tooLong || undefined} onChange={changed} onKeyDown={pressed} onBlur={stopped} />
        <Button type="submit" look="solid" className={styles.send} aria-label={t("Send")}
          aria-disabled={!text.trim() || tooLong} onMouseDown={staysInField}>
          <Icon name="send" />
        </Button>
      </div>
      {characters >= COUNTER_FROM && (
        <p className={tooLong ? styles.over : styles.counter} role={tooLong ? "alert" : undefined}>
          {tooLong
            ? `${t(TOO_LONG)} ${t("{count} too many.", { count: inDigits(characters - MAX_CHARACTERS) })}`
            : t("{count} left", { count: MAX_CHARACTERS - characters })}
        </p>
      )}
    </form>
  );
}

/** The field keeps the focus, and with it the keyboard on the screen. */
const staysInField = (event: MouseEvent) => event.preventDefault();

/** Calls when it has another width, one frame later: a new height is no news then. The answer ends it. */
function onWidth<E extends Element>(element: E, act: (element: E) => void): () => void {
  let width = element.clientWidth;
  const observer = new ResizeObserver(() => {
    if (element.clientWidth !== width) requestAnimationFrame(() => act(element));
    width = element.clientWidth;
  });
  observer.observe(element);
  return () => observer.disconnect();
}

/** As tall as its text, up to what the style sheet allows; one line while there is none. */
function grow(element: HTMLTextAreaElement | null) {
  if (!element) return;
  element.style.height = "auto";
  if (element.value) element.style.height = `${element.scrollHeight}px`;
}
