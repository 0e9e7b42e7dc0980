import { useEffect, useLayoutEffect, useRef, useState, type ChangeEvent, type KeyboardEvent, type Ref } from "react";
import { Button } from "@/components/ui/Button";
import { Icon } from "@/components/ui/icons";
import { charactersIn, COUNTER_FROM, inOneLine, MAX_CHARACTERS, TOO_LONG } from "@/features/messages/message/text";
import { readDraft, writeDraft } from "@/lib/drafts";
import { inDigits, t } from "@/lib/language";
import type { Message } from "@/types/protocol";
import styles from "./Composer.module.css";

interface Props {
  user: string;
  room: string;
  roomName: string;
  replyTo: Message | null;
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
  const characters = charactersIn(text);
  const tooLong = characters > MAX_CHARACTERS;

  useLayoutEffect(() => grow(field.current), [text]);
  useEffect(() => {
    if (replyTo) field.current?.focus();
  }, [replyTo]);

  function changed({ target }: ChangeEvent<HTMLTextAreaElement>) {
    setText(target.value);
    writeDraft(user, room, target.value);
    if (target.value.trim()) typed();
    else stopped();
  }

  function submit() {
    const ready = text.trim();
    if (!ready || tooLong) return;
    setText("");
    writeDraft(user, room, "");
    send(ready);
    stopped();
  }

  function pressed(event: KeyboardEvent<HTMLTextAreaElement>) {
    if (event.nativeEvent.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey) {
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
          <span>{t("To {name}", { name: replyTo.name })}: {inOneLine(replyTo.text, 90)}</span>
          <Button look="icon" small aria-label={t("Do not reply")} onClick={cancelReply}>
            <Icon name="close" size={16} />
          </Button>
        </p>
      )}
      <div className={styles.pill}>
        <textarea ref={attach} aria-label={t("Message")} placeholder={t("Message {room}", { room: roomName })}
          value={text} rows={1} dir="auto" enterKeyHint="send" aria-invalid={tooLong || undefined}
          onChange={changed} onKeyDown={pressed} onBlur={stopped} />
        <Button type="submit" look="solid" className={styles.send} aria-label={t("Send")}
          aria-disabled={!text.trim() || tooLong}>
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

/** As tall as its text, up to what the style sheet allows; one line while there is none. */
function grow(element: HTMLTextAreaElement | null) {
  if (!element) return;
  element.style.height = "auto";
  if (element.value) element.style.height = `${element.scrollHeight}px`;
}
