import { Button } from "@/components/ui/Button";
import { Dialog } from "@/components/ui/Dialog";
import type { SessionService } from "@/features/auth/session";
import { draftedRooms } from "@/lib/drafts";
import { t } from "@/lib/language";
import { useValue } from "@/lib/store";
import { useTrouble } from "@/lib/trouble";
import type { Client } from "./client";
import styles from "./SignOut.module.css";

interface Props {
  client: Client;
  session: SessionService;
  onClose(): void;
}

/** Asks before somebody signs out whose messages have not all been sent: they would be gone. */
export default function SignOut({ client, session, onClose }: Props) {
  const { said, report } = useTrouble();
  const unsent = useValue(client.outbox.items).filter(({ state }) => state !== "sent").length;
  const drafts = useValue(draftedRooms(client.user.username)).size;
  return (
    <Dialog title={t("Sign out?")} onClose={onClose}>
      <div className={styles.body}>
        {unsent > 0 && (
          <p>
            {t("{count, plural, one {# message has not been sent.} other {# messages have not been sent.}}", {
              count: unsent,
            })}
          </p>
        )}
        {drafts > 0 && (
          <p>
            {t("{count, plural, one {There is a draft in one room.} other {There are drafts in # rooms.}}", {
              count: drafts,
            })}
          </p>
        )}
        <p>{t("Signing out deletes them from this browser.")}</p>
        <p className={styles.failure} role="alert">{said}</p>
        <div className={styles.row}>
          <Button look="alarm" onClick={() => void session.logout().catch(report)}>{t("Delete and sign out")}</Button>
          <Button onClick={onClose}>{t("Stay signed in")}</Button>
        </div>
      </div>
    </Dialog>
  );
}
