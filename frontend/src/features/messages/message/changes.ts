import { failureOf } from "@/lib/failure";
import { newClientId } from "@/lib/identifiers";
import type { Ask, Message } from "@/types/protocol";

const ATTEMPTS = 3;

interface Change {
  /** The message as it was when this was asked for: a newer snapshot makes the same words another request. */
  rev: number;
  /** What it is to say, null for a deletion. */
  text: string | null;
  client_id: string;
}

export type Changes = ReturnType<typeof createChanges>;

/**
 * Edits and deletions. A lost answer is asked for again under the same client_id, at once and when the person tries
 * again, so that nothing is changed twice.
 */
export function createChanges({ ask, snapshot }: { ask: Ask; snapshot(message: Message): void }) {
  /** Per message, the last change whose answer is not here yet. */
  const unanswered = new Map<string, Change>();

  async function insist({ room, seq, rev }: Message, text: string | null): Promise<void> {
    const key = `${room} ${seq}`;
    const former = unanswered.get(key);
    const same = former?.rev === rev && former.text === text;
    const change = same ? former : { rev, text, client_id: newClientId() };
    unanswered.set(key, change);
    const { client_id } = change;
    for (let attempt = 1; ; attempt += 1) {
      try {
        const answer =
          text === null
            ? ask("message:delete", { room, client_id, seq })
            : ask("message:edit", { room, client_id, seq, text });
        const { message } = await answer;
        if (message) snapshot(message);
        if (unanswered.get(key) === change) unanswered.delete(key);
        return;
      } catch (thrown) {
        if (failureOf(thrown).code !== "timed_out" || attempt === ATTEMPTS) throw thrown;
      }
    }
  }

  return {
    edit: (message: Message, text: string) => insist(message, text),
    remove: (message: Message) => insist(message, null),
  };
}
