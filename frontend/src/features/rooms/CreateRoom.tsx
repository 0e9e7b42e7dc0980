import { useState, type FormEvent } from "react";
import { Button } from "@/components/ui/Button";
import { Dialog } from "@/components/ui/Dialog";
import { TextField } from "@/components/ui/TextField";
import { Failure } from "@/lib/failure";
import { t } from "@/lib/language";
import { useTrouble } from "@/lib/trouble";
import type { Room } from "@/types/protocol";
import styles from "./RoomDialogs.module.css";

interface Props {
  create(name: string, kind: Room["kind"]): Promise<Room>;
  onDone(room: Room): void;
  onClose(): void;
}

export default function CreateRoom({ create, onDone, onClose }: Props) {
  const { said: trouble, report, clear } = useTrouble();
  const [busy, setBusy] = useState(false);
  const [isWrong, setWrong] = useState(false);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    if (busy) return;
    const form = new FormData(event.currentTarget);
    setBusy(true);
    clear();
    setWrong(false);
    try {
      onDone(await create(String(form.get("name")).trim(), form.get("kind") === "private" ? "private" : "public"));
    } catch (thrown) {
      report(thrown);
      setWrong(thrown instanceof Failure && thrown.code.startsWith("room_name"));
    } finally {
      setBusy(false);
    }
  }

  return (
    <Dialog title={t("New room")} onClose={onClose}>
      <form className={styles.form} onSubmit={submit}>
        <TextField label={t("Room name")} name="name" required maxLength={48} autoComplete="off"
          wrong={isWrong} />
        <fieldset className={styles.choice}>
          <legend>{t("Who can come in?")}</legend>
          <label>
            <input type="radio" name="kind" value="public" defaultChecked />{" "}
            <span>{t("Everybody here")} <small>{t("— anyone can join")}</small></span>
          </label>
          <label>
            <input type="radio" name="kind" value="private" />{" "}
            <span>{t("Invited people")} <small>{t("— nobody else sees it")}</small></span>
          </label>
        </fieldset>
        <p className={styles.failure} role="alert">{trouble}</p>
        <Button type="submit" look="solid" aria-disabled={busy}>{t("Create room")}</Button>
      </form>
    </Dialog>
  );
}
