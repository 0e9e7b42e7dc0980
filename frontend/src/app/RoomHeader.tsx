import { Button } from "@/components/ui/Button";
import { Icon } from "@/components/ui/icons";
import { countOf, type Unread } from "@/features/rooms/roomList";
import { t } from "@/lib/language";
import { useValue } from "@/lib/store";
import type { Room } from "@/types/protocol";
import type { Client } from "./client";
import type { Panel } from "./panels";
import { SyncMark } from "./SyncMark";
import styles from "./RoomView.module.css";

interface Props {
  client: Client;
  room: Room | undefined;
  /** The address. */
  id: string;
  /** Known to be missing, not just unknown yet. */
  missing: boolean;
  /** Unread messages in other rooms, for the phone, where the list is folded away. */
  elsewhere: Unread;
  isInvited: boolean;
  open(panel: Panel): void;
}

export function RoomHeader({ client, room, id, missing, elsewhere, isInvited, open }: Props) {
  const { joinable } = useValue(client.rooms.shown);
  const name = (room ?? joinable.find((other) => other.room === id))?.name;
  return (
    <header className={styles.header}>
      <Button look="icon" className={styles.menu} data-home
        aria-label={elsewhere.unread ? t("Rooms, {count} unread", { count: countOf(elsewhere) }) : t("Rooms")}
        onClick={() => open("rooms")}>
        <Icon name="menu" />
        {(elsewhere.unread > 0 || isInvited) && <i className={styles.dot} aria-hidden="true" />}
      </Button>
      {room || missing ? <h1>{name ?? t("Not here")}</h1> : <h1 className="visually-hidden">Parley</h1>}
      {room?.kind === "private" && (
        <span className={styles.lock} title={t("Private")}>
          <Icon name="lock" size={16} /><span className="visually-hidden">{t("Private room")}</span>
        </span>
      )}
      <SyncMark client={client} open={missing ? null : room?.room} />
      {room && (
        <Button look="icon" aria-label={t("People")} title={t("People")} onClick={() => open("members")}>
          <Icon name="people" size={21} />
        </Button>
      )}
    </header>
  );
}
