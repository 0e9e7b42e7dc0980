import { useEffect, useRef, useState, type KeyboardEvent } from "react";
import { Button } from "@/components/ui/Button";
import { failureOf } from "@/lib/failure";
import { isComposing } from "@/lib/keys";
import { t } from "@/lib/language";
import { isTouch } from "@/lib/touch";
import { charactersIn, MAX_CHARACTERS, tidied, TOO_LONG } from "./text";
import styles from "./EditMessage.module.css";

interface Props {
  text: string;
  /** What was typed before in place of it, and is not saved. */
  kept: string | undefined;
  keep(typed: string): void;
  save(text: string): Promise<void>;
  close(): void;
}

/**
 * A message's text, open for changes. Enter saves, where there are no keys only the button; Escape leaves it as it was.
 * What was typed before comes back by itself, without the focus.
 */
export default function EditMessage({ text, kept, keep, save, close }: Props) {
  const field = useRef<HTMLTextAreaElement>(null);
  const [trouble, setTrouble] = useState("");

  const [restored] = useState(kept !== undefined);
  useEffect(() => {
    if (!restored) field.current?.focus();
    const end = field.current?.value.length ?? 0;
    field.current?.setSelectionRange(end, end);
    field.current?.scrollIntoView?.({ block: "nearest" });
  }, [restored]);

  async function submit() {
    const next = tidied(field.current?.value ?? "");
    if (next === text) return close();
    if (!next) return setTrouble(t("A message cannot be empty. You can delete it instead."));
    if (charactersIn(next) > MAX_CHARACTERS) return setTrouble(t(TOO_LONG));
    try {
      await save(next);
      close();
    } catch (thrown) {
      setTrouble(failureOf(thrown).message);
    }
  }

  function pressed(event: KeyboardEvent) {
    if (isComposing(event.nativeEvent)) return;
    event.stopPropagation();
    if (event.key === "Escape") close();
    if (event.key === "Enter" && !event.shiftKey && (!isTouch() || event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      void submit();
    }
  }

  return (
    <div className={styles.edit}>
      <textarea ref={field} aria-label={t("Edit text")} defaultValue={kept ?? text} rows={1} dir="auto"
        onKeyDown={pressed} onChange={({ target }) => keep(target.value)} />
      <div className={styles.editRow}>
        <Button small look="solid" onClick={() => void submit()}>{t("Save")}</Button>
        <Button small onClick={close}>{t("Cancel")}</Button>
        <span role="alert">{trouble}</span>
      </div>
    </div>
  );
}
