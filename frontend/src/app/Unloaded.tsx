import { Button } from "@/components/ui/Button";
import type { Connection } from "@/lib/connection";
import type { Failure } from "@/lib/failure";
import { t } from "@/lib/language";
import { useValue } from "@/lib/store";
import { useLate } from "@/lib/useLate";
import styles from "./RoomView.module.css";

interface Props {
  connection: Connection;
  /** Why it cannot be shown, for good. */
  failure: Failure | null;
  /** What went wrong last, while it is asked for again. */
  trouble: Failure | null;
  again(): void;
}

const SOON_MS = 2_000;

/** Why a room has nothing to show yet: nothing stays white without a word. */
export default function Unloaded({ connection, failure, trouble, again }: Props) {
  const state = useValue(connection.state);
  const late = useLate(true, SOON_MS);
  if (failure) {
    return (
      <div className={styles.later}>
        <p role="alert">{failure.message}</p>
        <Button onClick={again}>{t("Try again")}</Button>
      </div>
    );
  }
  const away = state.phase === "waiting" || ("attempt" in state && state.attempt > 0);
  if (away) {
    return (
      <p className={styles.later}>
        {t("Earlier messages are here again when the server can be reached. What you write waits until then.")}
      </p>
    );
  }
  if (trouble) {
    return <p className={styles.later} role="status">{`${trouble.message} ${t("This page goes on trying.")}`}</p>;
  }
  if (late) {
    return (
      <p className={styles.later} role="status">
        {t("The messages are on their way. The server has not answered yet.")}
      </p>
    );
  }
  return null;
}
