import { useEffect, useState } from "react";
import type { Connection } from "@/lib/connection";
import { useValue } from "@/lib/store";
import styles from "./ConnectionLine.module.css";

const PATIENCE_MS = 800;

/** One thin line while the server is away: what is going on, and a way to hurry. */
export function ConnectionLine({ connection }: { connection: Connection }) {
  const state = useValue(connection.state);
  const late = useLate(state.phase === "connecting");
  if (state.phase === "waiting") {
    return (
      <div className={styles.line} role="status">
        <span>
          {state.restarting ? "The server is restarting. " : ""}Reconnecting <Countdown until_ms={state.retry_at_ms} />
        </span>
        <button type="button" onClick={connection.tryNow}>Try now</button>
      </div>
    );
  }
  if (state.phase === "connecting" && late) return <div className={styles.line} role="status">Connecting…</div>;
  return null;
}

function Countdown({ until_ms }: { until_ms: number }) {
  const [now_ms, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, []);
  const left_s = Math.max(1, Math.ceil((until_ms - now_ms) / 1000));
  return <span aria-hidden="true">in {left_s} s</span>;
}

/** True once `now` has been true for a while: a quick reconnect needs no word. */
function useLate(now: boolean): boolean {
  const [late, setLate] = useState(false);
  useEffect(() => {
    if (!now) return;
    const timer = setTimeout(() => setLate(true), PATIENCE_MS);
    return () => {
      clearTimeout(timer);
      setLate(false);
    };
  }, [now]);
  return late && now;
}
