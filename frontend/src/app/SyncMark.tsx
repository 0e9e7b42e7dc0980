import { useValue } from "@/lib/store";
import type { Client } from "./client";
import { syncState, waitingIn, type SyncState } from "./syncState";
import styles from "./SyncMark.module.css";

const WORDS: Record<SyncState, string> = {
  synced: "In sync",
  syncing: "Catching up",
  sending: "Sending",
  slow: "Slow connection",
  failed: "Not everything was sent",
  offline: "Offline",
};

/** A dot and a word that are true: green only when nothing is missing and nothing waits. */
export function SyncMark({ client, open }: { client: Client; open: string | null | undefined }) {
  const outbox = useValue(client.outbox.items);
  const state = syncState({
    connection: useValue(client.connection.state),
    line: useValue(client.connection.line),
    late: useValue(client.outbox.late),
    compared: useValue(client.followers.compared),
    list: useValue(client.rooms.list),
    unlisted: useValue(client.rooms.failure),
    rooms: useValue(client.followers.rooms),
    outbox,
    open,
  });
  return (
    <span className={styles.mark} data-testid="sync-mark" data-state={state}>
      <i aria-hidden="true" />
      <span>{state === "sending" ? `${WORDS.sending} ${waitingIn(outbox)}` : WORDS[state]}</span>
    </span>
  );
}
