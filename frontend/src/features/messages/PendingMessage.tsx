import { useEffect, useState } from "react";
import { Button } from "@/components/ui/Button";
import { timeOfDay } from "@/lib/dates";
import { MessageFrame } from "./MessageFrame";
import { MessageText } from "./MessageText";
import type { OutboxItem } from "./outbox";
import styles from "./Message.module.css";

interface Props {
  item: OutboxItem;
  name: string;
  starts: boolean;
  retry(client_id: string): void;
  remove(client_id: string): void;
}

const SOON_MS = 4_000;

/** A message on its way. It has no time until the server has it: the time is the receipt. */
export function PendingMessage({ item, name, starts, retry, remove }: Props) {
  const { client_id, state, text, message, failed } = item;
  const waits = state === "queued" || state === "sending";
  const late = useLate(waits);
  const time = message ? <span className={styles.time}>{timeOfDay(message.created_at_ms)}</span> : null;
  return (
    <MessageFrame author={item.user} name={name} starts={starts} time={time} data-client-id={client_id}
      data-seq={message?.seq} data-state={state} aria-label={`${name}, ${state === "failed" ? "not sent" : late ? "waiting to be sent" : "sending"}`}>
      <div className={waits ? styles.waiting : undefined}>
        <MessageText text={text} />
      </div>
      {late && <p className={styles.state}>Waiting to be sent</p>}
      {state === "failed" && (
        <div className={styles.failed} role="alert">
          <span>Not sent. {failed?.message}</span>
          <Button small onClick={() => retry(client_id)}>Try again</Button>
          <Button small look="alarm" onClick={() => remove(client_id)}>Delete</Button>
        </div>
      )}
    </MessageFrame>
  );
}

/** True once `now` has been true for longer than the way to the server takes. */
function useLate(now: boolean): boolean {
  const [late, setLate] = useState(false);
  useEffect(() => {
    if (!now) return;
    const timer = setTimeout(() => setLate(true), SOON_MS);
    return () => {
      clearTimeout(timer);
      setLate(false);
    };
  }, [now]);
  return late && now;
}
