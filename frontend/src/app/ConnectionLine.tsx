import { useEffect, useState } from "react";
import { t } from "@/lib/language";
import { useValue } from "@/lib/store";
import { useLate } from "@/lib/useLate";
import type { Client } from "./client";
import styles from "@/components/ui/Bar.module.css";

const PATIENCE_MS = 800;

/**
 * One thin line while the server is away or slow, or cannot list the rooms, or the browser keeps nothing: what is going
 * on, and a way to hurry.
 */
export function ConnectionLine({ client: { connection, outbox, rooms } }: { client: Client }) {
  const keeps = useValue(outbox.keeps);
  return (
    <>
      <Server connection={connection} outbox={outbox} />
      <List connection={connection} rooms={rooms} />
      {!keeps && (
        <div className={styles.line} role="status">
          <span>{t("This device keeps nothing at the moment: leave this page open until all is sent.")}</span>
        </div>
      )}
    </>
  );
}

function Server({ connection, outbox }: Pick<Client, "connection" | "outbox">) {
  const state = useValue(connection.state);
  const slow = [useValue(connection.line) === "slow", useValue(outbox.late)].includes(true);
  const late = useLate(state.phase === "connecting", PATIENCE_MS);
  if (state.phase === "waiting") {
    return (
      <div className={styles.line} role="status">
        <span>
          <span>{`${state.restarting ? `${t("The server is restarting.")} ` : ""}${t("Reconnecting")} `}</span>
          <Countdown until_ms={state.retry_at_ms} />
        </span>
        <button type="button" className={styles.now} onClick={connection.tryNow}>{t("Try now")}</button>
      </div>
    );
  }
  if (state.phase === "connecting" && late) {
    return <div className={styles.line} role="status">{t("Connecting…")}</div>;
  }
  if (state.phase === "connected" && slow) {
    return (
      <div className={styles.line} role="status">
        <span>{t("The server is slow to answer. What you write is kept until it does.")}</span>
      </div>
    );
  }
  return null;
}

/** The line stands, and yet the list of rooms cannot be had: with no rooms at all the page says so in their place. */
function List({ connection, rooms }: Pick<Client, "connection" | "rooms">) {
  const failure = useValue(rooms.failure);
  const shown = useValue(rooms.shown).rooms.size > 0;
  const stands = useValue(connection.state).phase === "connected";
  const late = useLate(stands && failure !== null && shown, PATIENCE_MS);
  if (!failure || !late) return null;
  return (
    <div className={styles.line} role="status">
      <span>{`${t("Your list of rooms may be old.")} ${failure.message}`}</span>
      <button type="button" className={styles.now} onClick={() => void rooms.refetch()}>{t("Try now")}</button>
    </div>
  );
}

function Countdown({ until_ms }: { until_ms: number }) {
  const [now_ms, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, []);
  const left_s = Math.max(1, Math.ceil((until_ms - now_ms) / 1000));
  return <span aria-hidden="true">{t("in {count} s", { count: left_s })}</span>;
}
