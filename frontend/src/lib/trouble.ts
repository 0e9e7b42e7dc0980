import { useCallback, useEffect, useState } from "react";
import { failureOf, type Failure } from "@/lib/failure";
import { createStore } from "@/lib/store";

/** How often the server was reached after it could not be. */
const reached = createStore(0);

/** The server answers again: what was said because it did not is not true any more. */
export const isReached = (): void => reached.set((times) => times + 1);

const ABOUT_THE_LINE = new Set(["offline", "timed_out"]);

/** A red sentence that goes with its cause: when the server is there again, or with `clear`. */
export function useTrouble() {
  const [failure, setFailure] = useState<Failure | null>(null);
  const report = useCallback((thrown: unknown) => setFailure(failureOf(thrown)), []);
  const clear = useCallback(() => setFailure(null), []);
  useEffect(() => {
    if (failure && ABOUT_THE_LINE.has(failure.code)) return reached.subscribe(clear);
  }, [failure, clear]);
  return { said: failure?.message ?? "", report, clear };
}
