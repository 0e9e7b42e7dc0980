import { useState } from "react";
import { Button } from "@/components/ui/Button";
import { withCtrl } from "@/lib/keys";
import { t } from "@/lib/language";
import type { Room } from "@/types/protocol";
import styles from "./Welcome.module.css";

const LOCAL = /^(localhost|127\.0\.0\.1|\[::1\])$/;

interface Props {
  room: Room;
  /** The first entry that there is for this person: others may have come before. */
  first: number;
}

/**
 * The beginning of a room, or of what somebody who came later may see of it. It is never empty: who comes first reads
 * how to go on.
 */
export default function Welcome({ room: { room, name, kind, from = 1 }, first }: Props) {
  const [copied, setCopied] = useState(false);
  const address = location.origin;
  const copy = () => void navigator.clipboard?.writeText(address).then(() => setCopied(true));
  return (
    <section className={styles.welcome} aria-label={t("Welcome")}>
      <h2>{first > 1 ? name : t("This is the beginning of {room}", { room: name })}</h2>
      {first > 1 && (
        <p>
          {from >= first
            ? t("You see what was said since you joined.")
            : t("What was said earlier is not kept any more.")}
        </p>
      )}
      {kind === "private" ? (
        <p>{t("Only the people in this room can see it. Invite somebody by name from the members list.")}</p>
      ) : (
        <p>
          {room === "general"
            ? t("Everybody who signs in here is in this room.")
            : t("Everybody here can find this room and join it.")}{" "}
          {LOCAL.test(location.hostname)
            ? t("This address works on this computer only:")
            : t("To invite somebody, share the address:")}{" "}
          <span className={styles.address}>
            <code>{address}</code>
            <Button small onClick={copy}>{copied ? t("Copied") : t("Copy")}</Button>
          </span>
        </p>
      )}
      <ul className={styles.keys}>
        <li><kbd>{withCtrl("/")}</kbd> {t("shows every key there is")}</li>
        <li><kbd>{withCtrl("K")}</kbd> {t("takes you to any room")}</li>
        <li><kbd>↑</kbd> {t("edits what you said last")}</li>
      </ul>
    </section>
  );
}
