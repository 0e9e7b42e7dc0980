import { Button } from "@/components/ui/Button";
import { Link } from "@/components/ui/Link";
import type { Rooms } from "@/features/rooms/rooms";
import { Unlisted, useListed } from "@/features/rooms/useListed";
import { t } from "@/lib/language";
import { useValue } from "@/lib/store";
import { useTrouble } from "@/lib/trouble";
import styles from "./RoomView.module.css";

/** An address of a room one is not in: join it if anybody may, or go home. */
export default function RoomMissing({ room, rooms }: { room: string; rooms: Rooms }) {
  const { joinable, rooms: mine } = useValue(rooms.list);
  const listed = useListed(rooms);
  const { said: trouble, report } = useTrouble();
  const removal = useValue(rooms.removals).get(room);
  const name = joinable.find(({ room: other }) => other === room)?.name;
  const go = () => rooms.join(room).catch(report);
  return (
    <div className={styles.missing}>
      {removal ? (
        <p>
          {removal.by
            ? t("You were removed from {room} by {name}.", { room: removal.name, name: removal.by })
            : t("You were removed from {room}.", { room: removal.name })}
        </p>
      ) : name ? (
        <p>{t("You are not in {room} yet.", { room: name })}</p>
      ) : listed === "known" ? (
        <p>{t("There is no such room, or you are not in it.")}</p>
      ) : (
        <Unlisted listed={listed} />
      )}
      {name && <Button look="solid" onClick={() => void go()}>{t("Join {room}", { room: name })}</Button>}
      <Link to="/r/general">{t("Go to {room}", { room: mine.get("general")?.name ?? "General" })}</Link>
      {trouble && <p role="alert">{trouble}</p>}
    </div>
  );
}
