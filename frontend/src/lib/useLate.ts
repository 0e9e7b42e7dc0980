import { useEffect, useState } from "react";

/** True once `now` has been true for that long. */
export function useLate(now: boolean, after_ms: number): boolean {
  const [late, setLate] = useState(false);
  useEffect(() => {
    if (!now) return;
    const timer = setTimeout(() => setLate(true), after_ms);
    return () => {
      clearTimeout(timer);
      setLate(false);
    };
  }, [now, after_ms]);
  return late && now;
}
