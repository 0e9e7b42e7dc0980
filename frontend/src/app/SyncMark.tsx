import { sentence, t } from "@/lib/language";
import { useValue } from "@/lib/store";
import type { Client } from "./client";
import { syncState, waitingIn, type SyncState } from "./syncState";
import styles from "./SyncMark.module.css";

const WORDS: Record<SyncState, string> = {
  synced: sentence("In sync"),
  syncing: sentence("Catching up"),
  sending: sentence("Sending"),
  slow: sentence("Slow connection"),
  failed: sentence("Not everything was sent"),
  offline: sentence("Offline"),
};

/** A dot and a word that are true: green only when nothing is missing and nothing waits. */
export function SyncMark({ client, open }: { client: Client; open: string | null | undefined }) {
  const outbox = useValue(client.outbox.items);
  const state = syncState({
    connection: useValue(client.connection.state),
    line: useValue(client.connection.line),
    late: useValue(client.outbox.late),
    compared: useValue(client.followers.compared),
    list: useValue(client.rooms.shown),
    unlisted: useValue(client.rooms.failure),
    rooms: useValue(client.followers.rooms),
    outbox,
    open,
  });
  return (
    <span className={styles.mark} data-testid="sync-mark" data-state={state}>
      <i aria-hidden="true" />
      <span>{state === "sending" ? `${t(WORDS.sending)} ${waitingIn(outbox)}` : t(WORDS[state])}</span>
    </span>
  );
}
