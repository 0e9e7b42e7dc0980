import type { Clock } from "@/lib/clock";

/** What did not answer within the time that it was given. */
export class TooLate extends Error {}

/** The answer, if it comes within `limit_ms`; rejects with TooLate otherwise. What was asked goes on. */
export function within<T>(clock: Clock, limit_ms: number, asked: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(limit_ms, () => reject(new TooLate("no answer in time")));
    asked.then(resolve, reject).finally(cancel);
  });
}
