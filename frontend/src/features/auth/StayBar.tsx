import { useState } from "react";
import { Button } from "@/components/ui/Button";
import { failureOf } from "@/lib/failure";
import { timeOfDay } from "@/lib/dates";
import { useValue } from "@/lib/store";
import type { SessionService } from "./session";
import styles from "./StayBar.module.css";

/** Shown in the last minutes of a session that nobody used. */
export function StayBar({ session }: { session: SessionService }) {
  const expires_at = useValue(session.expiring);
  const [trouble, setTrouble] = useState("");
  if (expires_at === null) return null;
  const stay = () => {
    setTrouble("");
    session.stay().catch((thrown: unknown) => setTrouble(failureOf(thrown).message));
  };
  return (
    <div className={styles.bar} role="status">
      <span>{trouble || `You have been quiet for a while. This session ends at ${timeOfDay(expires_at * 1000)}.`}</span>
      <Button small onClick={stay}>Stay signed in</Button>
    </div>
  );
}

/** The cookie is somebody else's now: nothing is sent until the page is loaded again. */
export function MismatchBar({ session }: { session: SessionService }) {
  const mismatch = useValue(session.mismatch);
  if (!mismatch) return null;
  return (
    <div className={styles.bar} role="alert">
      <span>{mismatch.message}</span>
      <Button small onClick={() => location.reload()}>Reload</Button>
    </div>
  );
}
