import type { Clock } from "@/lib/clock";
import type { Connection } from "@/lib/connection";
import { sentence, t } from "@/lib/language";
import type { SessionService } from "./session";

const ENDINGS = {
  expired: sentence("Your session has ended."),
  elsewhere: sentence("You were signed out from another device."),
  everywhere: sentence("You were signed out everywhere."),
  password: sentence("Your password was changed on another device."),
};

/** How long a tab waits, time after time, for the cookie that another tab was given. */
const REJOIN_MS = [200, 400, 800, 1_600];

/**
 * What the server tells of the session. `goOn` lets the connection come back, or not, as the session says. The answer
 * ends it.
 */
export function listenToSession(
  connection: Connection, session: SessionService, clock: Clock, goOn: () => void,
): () => void {
  /**
   * Another tab of this browser signed in again. The word that our session is over may be here before the answer with
   * the new cookie is: nothing is asked with the old one, and a refusal is not believed at once.
   */
  async function rejoin() {
    connection.stop();
    try {
      for (const delay_ms of REJOIN_MS) {
        await new Promise<void>((resolve) => clock.after(delay_ms, resolve));
        if (session.state.get().status === "signed-out" || (await session.look())) return;
      }
      session.end(t(ENDINGS.expired));
    } catch {
      goOn(); // no answer: the connection comes back when there is one, and finds out
    }
  }

  return connection.listen({
    "session:expiring": ({ expires_at }) => session.warn(expires_at),
    "session:ended"({ reason }) {
      if (reason === "logout") session.forget();
      else if (reason === "replaced") void rejoin();
      else session.end(t(ENDINGS[reason] ?? ENDINGS.expired));
    },
  });
}
