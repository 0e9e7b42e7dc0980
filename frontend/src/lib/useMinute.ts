import { useEffect, useState } from "react";
import { lookAround } from "./dates";
import { onVisibility } from "./visibility";

/** The time, new every minute and to whoever comes back: enough for "Today" to become "Yesterday", wherever one is. */
export function useMinute(): number {
  const [now_ms, setNow] = useState(() => Date.now());
  useEffect(() => {
    const look = () => {
      lookAround();
      setNow(Date.now());
    };
    const timer = setInterval(look, 60_000);
    const stop = onVisibility({ back: look });
    return () => {
      clearInterval(timer);
      stop();
    };
  }, []);
  return now_ms;
}
