import { Button } from "@/components/ui/Button";
import { Dialog } from "@/components/ui/Dialog";
import { useTrouble } from "@/lib/trouble";
import type { Room, RoomName } from "@/types/protocol";
import styles from "./RoomDialogs.module.css";

interface Props {
  joinable: readonly RoomName[];
  join(room: string): Promise<Room>;
  onDone(room: Room): void;
  onCreate(): void;
  onClose(): void;
}

export default function BrowseRooms({ joinable, join, onDone, onCreate, onClose }: Props) {
  const { said: trouble, report } = useTrouble();
  const go = (room: string) => join(room).then(onDone, report);
  return (
    <Dialog title="Rooms you can join" onClose={onClose}>
      {joinable.length === 0 && <p className={styles.quiet}>You are in every public room there is.</p>}
      <ul className={styles.list}>
        {joinable.map(({ room, name }) => (
          <li key={room}>
            <span className={styles.grow}>{name}</span>
            <Button small onClick={() => void go(room)} aria-label={`Join ${name}`}>Join</Button>
          </li>
        ))}
      </ul>
      <p className={styles.failure} role="alert">{trouble}</p>
      <div className={styles.foot}>
        <Button onClick={onCreate}>New room</Button>
      </div>
    </Dialog>
  );
}
