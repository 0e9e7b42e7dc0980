import { useEffect, useState } from "react";

/** The time, new every minute: enough for "Today" to become "Yesterday". */
export function useMinute(): number {
  const [now_ms, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 60_000);
    return () => clearInterval(timer);
  }, []);
  return now_ms;
}
