import { Button } from "@/components/ui/Button";
import { Link } from "@/components/ui/Link";
import type { Rooms } from "@/features/rooms/rooms";
import { Unlisted, useListed } from "@/features/rooms/useListed";
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
        <p>You were removed from {removal.name}{removal.by && ` by ${removal.by}`}.</p>
      ) : name ? (
        <p>You are not in {name} yet.</p>
      ) : listed === "known" ? (
        <p>There is no such room, or you are not in it.</p>
      ) : (
        <Unlisted listed={listed} />
      )}
      {name && <Button look="solid" onClick={() => void go()}>Join {name}</Button>}
      <Link to="/r/general">Go to {mine.get("general")?.name ?? "general"}</Link>
      {trouble && <p role="alert">{trouble}</p>}
    </div>
  );
}
