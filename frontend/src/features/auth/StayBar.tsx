import { useEffect, useState } from "react";
import { Button } from "@/components/ui/Button";
import { failureOf } from "@/lib/failure";
import { timeOfDay } from "@/lib/dates";
import { t } from "@/lib/language";
import { useValue } from "@/lib/store";
import type { SessionService } from "./session";
import { onActs } from "./staying";
import styles from "@/components/ui/Bar.module.css";

/**
 * Whoever is at the page stays signed in. Shown in the last minutes of a session that nobody used, or that cannot last
 * longer.
 */
export function StayBar({ session }: { session: SessionService }) {
  const expires_at = useValue(session.expiring);
  const last = useValue(session.last);
  const mismatch = useValue(session.mismatch);
  useEffect(() => onActs(session.acted), [session]);
  const [trouble, setTrouble] = useState("");
  if (expires_at === null || mismatch) return null; // whose session it is comes first, and is said already
  const stay = () => {
    setTrouble("");
    session.stay().catch((thrown: unknown) => setTrouble(failureOf(thrown).message));
  };
  const time = timeOfDay(expires_at * 1000);
  const said = last
    ? t("This session ends at {time}, however much you write. Sign in again then; nothing is lost.", { time })
    : t("You have been quiet for a while. This session ends at {time}.", { time });
  return (
    <div className={styles.line} role="status">
      <span>{trouble || said}</span>
      {!last && <Button small onClick={stay}>{t("Stay signed in")}</Button>}
    </div>
  );
}

/** The cookie is somebody else's now: nothing is sent until the page is loaded again. */
export function MismatchBar({ session }: { session: SessionService }) {
  const mismatch = useValue(session.mismatch);
  if (!mismatch) return null;
  return (
    <div className={styles.line} role="alert">
      <span>{mismatch.message}</span>
      <Button small onClick={() => location.reload()}>{t("Reload")}</Button>
    </div>
  );
}
