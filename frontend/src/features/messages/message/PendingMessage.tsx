import { Button } from "@/components/ui/Button";
import type { OutboxItem } from "@/features/messages/outbox/items";
import { LATE_MS } from "@/features/messages/outbox/outbox";
import { timeOfDay } from "@/lib/dates";
import { refusal } from "@/lib/failure";
import { t } from "@/lib/language";
import { useLate } from "@/lib/useLate";
import { MessageFrame } from "./MessageFrame";
import { MessageText } from "./MessageText";
import { spokenWaiting } from "./spoken";
import styles from "./Message.module.css";

interface Props {
  item: OutboxItem;
  name: string;
  startsGroup: boolean;
  /** Whether the keyboard comes to it. */
  active?: boolean;
  retry(client_id: string): void;
  remove(client_id: string): void;
}

/** A message on its way. It has no time until the server has it: the time is the receipt. */
export function PendingMessage({ item, name, startsGroup, active = false, retry, remove }: Props) {
  const { client_id, state, text, message, failed } = item;
  const waits = state === "queued" || state === "sending";
  const late = useLate(waits, LATE_MS);
  const time = message ? <span className={styles.time}>{timeOfDay(message.created_at_ms)}</span> : null;
  return (
    <MessageFrame author={item.user} name={name} startsGroup={startsGroup} time={time} data-client-id={client_id}
      data-seq={message?.seq} data-state={state} tabIndex={active ? 0 : -1}
      aria-label={spokenWaiting(item, name, late)}>
      <div className={waits ? styles.waiting : undefined}>
        <MessageText text={text} />
      </div>
      {late && <p className={styles.state}>{t("Waiting to be sent")}</p>}
      {state === "failed" && (
        <div className={styles.failed} role="alert">
          <span>{`${t("Not sent.")} ${failed ? refusal(failed) : ""}`}</span>
          <Button small onClick={() => retry(client_id)}>{t("Try again")}</Button>
          <Button small look="alarm" onClick={() => remove(client_id)}>{t("Delete")}</Button>
        </div>
      )}
    </MessageFrame>
  );
}
