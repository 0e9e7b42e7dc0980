import { useParams } from "react-router";
import { Icon } from "@/components/ui/icons";
import { Link } from "@/components/ui/Link";
import { t } from "@/lib/language";
import type { Room } from "@/types/protocol";
import { countOf } from "./roomList";
import styles from "./RoomNav.module.css";

export function RoomNav({ rooms, onPick }: { rooms: readonly Room[]; onPick(): void }) {
  const { room: here } = useParams();
  return (
    <nav aria-label={t("Rooms")} className={styles.nav}>
      <ul>
        {rooms.map((room) => (
          <li key={room.room}>
            <Link to={`/r/${encodeURIComponent(room.room)}`} onClick={onPick}
              aria-current={room.room === here ? "page" : undefined}
              className={`${styles.room} ${room.room === here ? styles.here : ""} ${room.unread ? styles.unread : ""}`}>
              <span className={styles.name}>{room.name}</span>
              {room.kind === "private" && <Icon name="lock" size={14} />}
              {room.kind === "private" && <span className="visually-hidden"> {t("private")}</span>}
              {room.unread > 0 && (
                <span className={styles.count}>
                  {countOf(room)}
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
