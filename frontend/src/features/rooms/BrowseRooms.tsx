import { Button } from "@/components/ui/Button";
import { Dialog } from "@/components/ui/Dialog";
import { t } from "@/lib/language";
import { useValue } from "@/lib/store";
import { useTrouble } from "@/lib/trouble";
import type { Room } from "@/types/protocol";
import type { Rooms } from "./rooms";
import styles from "./RoomDialogs.module.css";
import { Unlisted, useListed } from "./useListed";

interface Props {
  rooms: Rooms;
  onDone(room: Room): void;
  onCreate(): void;
  onClose(): void;
}

export default function BrowseRooms({ rooms, onDone, onCreate, onClose }: Props) {
  const { joinable } = useValue(rooms.list);
  const listed = useListed(rooms);
  const { said: trouble, report } = useTrouble();
  const go = (room: string) => rooms.join(room).then(onDone, report);
  return (
    <Dialog title={t("Rooms you can join")} onClose={onClose}>
      {joinable.length === 0 && listed === "known" && (
        <p className={styles.quiet}>{t("You are in every public room there is.")}</p>
      )}
      <Unlisted listed={listed} />
      <ul className={styles.list}>
        {joinable.map(({ room, name }) => (
          <li key={room}>
            <span className={styles.grow}>{name}</span>
            <Button small onClick={() => void go(room)} aria-label={t("Join {room}", { room: name })}>
              {t("Join")}
            </Button>
          </li>
        ))}
      </ul>
      <p className={styles.failure} role="alert">{trouble}</p>
      <div className={styles.foot}>
        <Button onClick={onCreate}>{t("New room")}</Button>
      </div>
    </Dialog>
  );
}
