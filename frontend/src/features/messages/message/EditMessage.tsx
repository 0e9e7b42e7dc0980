import { useEffect, useRef, useState, type KeyboardEvent } from "react";
import { Button } from "@/components/ui/Button";
import { failureOf } from "@/lib/failure";
import { t } from "@/lib/language";
import { charactersIn, MAX_CHARACTERS, TOO_LONG } from "./text";
import styles from "./EditMessage.module.css";

interface Props {
  text: string;
  save(text: string): Promise<void>;
  close(): void;
}

/** A message's text, open for changes. Enter saves, Escape leaves it as it was. */
export function EditMessage({ text, save, close }: Props) {
  const field = useRef<HTMLTextAreaElement>(null);
  const [trouble, setTrouble] = useState("");

  useEffect(() => {
    field.current?.focus();
    field.current?.setSelectionRange(text.length, text.length);
  }, [text]);

  async function submit() {
    const next = field.current?.value.trim() ?? "";
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
    if (event.nativeEvent.isComposing) return;
    event.stopPropagation();
    if (event.key === "Escape") close();
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      void submit();
    }
  }

  return (
    <div className={styles.edit}>
      <textarea ref={field} aria-label={t("Edit text")} defaultValue={text} rows={1} onKeyDown={pressed} dir="auto" />
      <div className={styles.editRow}>
        <Button small look="solid" onClick={() => void submit()}>{t("Save")}</Button>
        <Button small onClick={close}>{t("Cancel")}</Button>
        <span role="alert">{trouble}</span>
      </div>
    </div>
  );
}
