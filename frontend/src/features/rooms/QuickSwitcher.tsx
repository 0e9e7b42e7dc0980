import { useId, useState, type KeyboardEvent } from "react";
import { Button } from "@/components/ui/Button";
import { Dialog } from "@/components/ui/Dialog";
import { Icon } from "@/components/ui/icons";
import { isComposing } from "@/lib/keys";
import { t } from "@/lib/language";
import { useValue } from "@/lib/store";
import { useTrouble } from "@/lib/trouble";
import { matching } from "./matching";
import styles from "./RoomDialogs.module.css";
import { countOf, inOrder } from "./roomList";
import type { Rooms } from "./rooms";
import { Unlisted, useListed } from "./useListed";

interface Props {
  rooms: Rooms;
  onPick(room: string): void;
  onClose(): void;
}

/** Ctrl-K: a few letters and Enter go to any room, also to one not joined yet. */
export default function QuickSwitcher({ rooms, onPick, onClose }: Props) {
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(0);
  const { said: trouble, report } = useTrouble();
  const list = useId();
  const held = useValue(rooms.list);
  const listed = useListed(rooms);
  const choices = matching(query, inOrder(held), held.joinable);
  const chosen = Math.min(at, choices.length - 1);

  function pick(index: number) {
    const choice = choices[index];
    if (!choice) return;
    if (!choice.joinable) return onPick(choice.room);
    rooms.join(choice.room).then(({ room }) => onPick(room), report);
  }

  function pressed(event: KeyboardEvent) {
    if (isComposing(event.nativeEvent)) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) setAt((chosen + step + choices.length) % Math.max(1, choices.length));
    else if (event.key === "Enter") pick(chosen);
    else return;
    event.preventDefault();
  }

  return (
    <Dialog title={t("Go to a room")} quietTitle onClose={onClose}>
      <div className={styles.searching}>
        <input className={styles.search} role="combobox" aria-label={t("Go to a room")} aria-expanded="true"
          aria-controls={list} aria-activedescendant={choices[chosen] ? `${list}-${chosen}` : undefined}
          autoComplete="off" placeholder={t("Go to…")} value={query}
          onChange={(event) => { setQuery(event.target.value); setAt(0); }} onKeyDown={pressed} />
        <Button look="icon" aria-label={t("Close")} onClick={onClose}><Icon name="close" /></Button>
      </div>
      <div id={list} role="listbox" aria-label={t("Rooms")} className={styles.options}>
        {choices.map((choice, index) => (
          <div key={choice.room} id={`${list}-${index}`} role="option" aria-selected={index === chosen}
            className={styles.option} onClick={() => pick(index)} onMouseMove={() => setAt(index)}>
            <span>{choice.name}</span>
            <small>
              {choice.joinable ? t("join") : choice.unread > 0 && t("{count} unread", { count: countOf(choice) })}
            </small>
          </div>
        ))}
      </div>
      {choices.length === 0 && listed !== "asking" && (
        <p className={styles.quiet}>
          {listed === "known" ? t("No room is called like that.") : t("None of these rooms is called like that.")}
        </p>
      )}
      {choices.length === 0 && <Unlisted listed={listed} />}
      <p className={styles.failure} role="alert">{trouble}</p>
    </Dialog>
  );
}
