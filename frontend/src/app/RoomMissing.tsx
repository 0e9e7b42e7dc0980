import { Button } from "@/components/ui/Button";
import { Link } from "@/components/ui/Link";
import { useTrouble } from "@/lib/trouble";
import styles from "./RoomView.module.css";

/** An address of a room one is not in: join it if anybody may, or go home. */
export default function RoomMissing({ name, join }: { name: string | undefined; join(): Promise<unknown> }) {
  const { said: trouble, report } = useTrouble();
  const go = () => join().catch(report);
  return (
    <div className={styles.missing}>
      {name ? <p>You are not in {name} yet.</p> : <p>There is no such room, or you are not in it.</p>}
      {name && <Button look="solid" onClick={() => void go()}>Join {name}</Button>}
      <Link to="/r/general">Go to general</Link>
      {trouble && <p role="alert">{trouble}</p>}
    </div>
  );
}
