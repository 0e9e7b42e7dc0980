import { useCallback, useEffect, useRef, useState, type FormEvent } from "react";
import { Button } from "@/components/ui/Button";
import { Dialog } from "@/components/ui/Dialog";
import { Monogram } from "@/components/ui/Monogram";
import { Question } from "@/components/ui/Question";
import { TextField } from "@/components/ui/TextField";
import { Failure } from "@/lib/failure";
import { t } from "@/lib/language";
import { useTrouble } from "@/lib/trouble";
import type { Member, Room } from "@/types/protocol";
import type { Rooms } from "./rooms";
import styles from "./RoomDialogs.module.css";

interface Props {
  room: Room;
  me: string;
  rooms: Rooms;
  onLeft(): void;
  onClose(): void;
}

/** Who is in a room; invite, remove, leave. */
export default function MembersPanel({ room, me, rooms, onLeft, onClose }: Props) {
  const [members, setMembers] = useState<readonly Member[]>([]);
  const { said: trouble, report: fail, clear } = useTrouble();
  const [leaving, setLeaving] = useState(false);
  const [removing, setRemoving] = useState<string | null>(null);

  const load = useCallback(() => rooms.members(room.room).then(setMembers, fail), [rooms, room.room, fail]);
  useEffect(() => void load(), [load, room.head]);

  async function attempt(act: () => Promise<unknown>) {
    clear();
    try {
      await act();
      await load();
      return true;
    } catch (thrown) {
      fail(thrown);
      return false;
    }
  }

  async function invite(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = event.currentTarget;
    const username = String(new FormData(form).get("username")).trim();
    const there = members.find((one) => [one.username, one.name.toLowerCase()].includes(username.toLowerCase()));
    if (there) {
      const message = there.username === me
        ? t("You are in this room already.")
        : t("{name} is in this room already.", { name: there.name });
      return fail(new Failure({ code: "already_in", message, retry: false }));
    }
    if (!(await attempt(() => rooms.invite(room.room, username)))) return;
    form.reset();
    form.querySelector("input")?.focus();
  }

  const stay = useCallback(() => setLeaving(false), []);
  const keep = useCallback(() => setRemoving(null), []);
  const remove = (username: string) => {
    keep(); // the focus goes back to the button, and on from there when its row goes
    return attempt(() => rooms.remove(room.room, username));
  };
  const said = <p className={styles.failure} role="alert">{trouble}</p>;
  /** Who has been here longest: nobody when I am alone, or the server hands no room on. */
  const next = room.owner === me ? members.find((one) => one.next) : undefined;
  const successor = useRef<HTMLSelectElement>(null);
  const leave = () =>
    rooms.leave(room.room, successor.current?.value).then(onLeft, (thrown) => {
      fail(thrown);
      void load(); // who was to own it may have gone meanwhile
    });

  return (
    <Dialog title={t("People in {room}", { room: room.name })} onClose={onClose}>
      {room.room === "general" ? (
        <>
          <p className={styles.quiet}>{t("Everybody who signs in here is in this room.")}</p>
          {said}
        </>
      ) : (
        <form className={styles.invite} onSubmit={invite}>
          <TextField label={t("Invite by name")} name="username" required maxLength={64} autoComplete="off"
            autoCapitalize="none" />
          <Button type="submit">{t("Invite")}</Button>
          {said}
        </form>
      )}
      <ul className={styles.list}>
        {members.map(({ username, name }) => (
          <li key={username}>
            <Monogram username={username} name={name} small />
            <span>
              {name}
              {username === me && <span className={styles.quiet}> {t("(you)")}</span>}
              {username === room.owner && <span className={styles.quiet}> {t("owns this room")}</span>}
            </span>
            {room.owner === me && username !== me && (
              <Button small aria-label={t("Remove {name}", { name })} aria-expanded={removing === username}
                onClick={() => setRemoving(username)}>
                {t("Remove")}
              </Button>
            )}
            {removing === username && (
              <Question label={t("Remove {name} from {room}?", { name, room: room.name })} className={styles.ask}
                no={keep}>
                <span className={styles.quiet}>
                  {room.kind === "private"
                    ? t("{name} sees nothing of this room any more, until somebody invites them again.", { name })
                    : t("{name} can join again at any time.", { name })}
                </span>
                <Button small look="alarm" onClick={() => void remove(username)}>{t("Remove from the room")}</Button>
                <Button small onClick={keep}>{t("Keep")}</Button>
              </Question>
            )}
          </li>
        ))}
      </ul>
      {room.room !== "general" &&
        (leaving ? (
          <Question label={t("Leave {room}?", { room: room.name })} className={styles.foot} no={stay}>
            <span className={styles.quiet}>
              {room.kind === "private"
                ? t("You will need an invitation to come back.")
                : t("You can join again at any time.")}
            </span>
            {next && (
              <label className={styles.next}>
                {t("Who owns this room then?")}
                <select ref={successor} defaultValue={next.username}>
                  {members.filter(({ username }) => username !== me).map(({ username, name }) => (
                    <option key={username} value={username}>{name}</option>
                  ))}
                </select>
              </label>
            )}
            <Button small look="alarm" onClick={() => void leave()}>{t("Leave it")}</Button>
            <Button small onClick={stay}>{t("Stay")}</Button>
          </Question>
        ) : (
          <div className={styles.foot}>
            <Button onClick={() => setLeaving(true)}>{t("Leave room")}</Button>
          </div>
        ))}
    </Dialog>
  );
}
