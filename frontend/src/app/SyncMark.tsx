import { useValue } from "@/lib/store";
import { syncState, waitingIn, type SyncState } from "./syncState";
import styles from "./SyncMark.module.css";
import type { World } from "./client";

const WORDS: Record<SyncState, string> = {
  synced: "In sync",
  syncing: "Catching up",
  sending: "Sending",
  slow: "Slow connection",
  failed: "Not everything was sent",
  offline: "Offline",
};

/** A dot and a word that are true: green only when nothing is missing and nothing waits. */
export function SyncMark({ world, open }: { world: World; open: string | null | undefined }) {
  const outbox = useValue(world.outbox.items);
  const state = syncState({
    connection: useValue(world.connection.state),
    line: useValue(world.connection.line),
    late: useValue(world.outbox.late),
    compared: useValue(world.followers.compared),
    list: useValue(world.rooms.list),
    unlisted: useValue(world.rooms.failure),
    rooms: useValue(world.followers.rooms),
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
