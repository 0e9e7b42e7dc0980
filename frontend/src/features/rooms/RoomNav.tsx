import { useParams } from "react-router";
import { Icon } from "@/components/ui/icons";
import { Link } from "@/components/ui/Link";
import { t } from "@/lib/language";
import type { Room } from "@/types/protocol";
import { countOf } from "./roomList";
import styles from "./RoomNav.module.css";

interface Props {
  rooms: readonly Room[];
  /** Something was typed there and not sent. */
  drafted: ReadonlySet<string>;
  /** Somebody brought me in, and I have not been there. */
  invited: ReadonlySet<string>;
  onPick(): void;
}

export function RoomNav({ rooms, drafted, invited, onPick }: Props) {
  const { room: here } = useParams();
  const isNew = ({ room, unread }: Room) => unread > 0 || invited.has(room);
  return (
    <nav aria-label={t("Rooms")} className={styles.nav}>
      <ul>
        {rooms.map((room) => (
          <li key={room.room}>
            <Link to={`/r/${encodeURIComponent(room.room)}`} onClick={onPick}
              aria-current={room.room === here ? "page" : undefined}
              className={`${styles.room} ${room.room === here ? styles.here : ""} ${isNew(room) ? styles.unread : ""}`}>
              <span className={styles.name}>{room.name}</span>
              {room.kind === "private" && <Icon name="lock" size={14} />}
              {room.kind === "private" && <span className="visually-hidden"> {t("private")}</span>}
              {drafted.has(room.room) && room.room !== here && (
                <span className={styles.draft}>
                  <Icon name="edit" size={14} /><span className="visually-hidden"> {t("draft")}</span>
                </span>
              )}
              {invited.has(room.room) && room.unread === 0 && <span className={styles.count}>{t("new")}</span>}
              {room.unread > 0 && (
                <span className={styles.count}>
                  <span>{countOf(room)}</span>
                  <span className="visually-hidden"> {t("unread")}</span>
                </span>
              )}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}
