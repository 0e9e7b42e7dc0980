import { failureOf } from "@/lib/failure";
import { newClientId } from "@/lib/identifiers";
import type { Ask, Message } from "@/types/protocol";

const ATTEMPTS = 3;

export type Changes = ReturnType<typeof createChanges>;

/** Edits and deletions. A lost answer is asked for again under the same client_id, which changes nothing twice. */
export function createChanges({ ask, image }: { ask: Ask; image(message: Message): void }) {
  async function insist(request: (client_id: string) => Promise<{ message: Message }>): Promise<void> {
    const client_id = newClientId();
    for (let attempt = 1; ; attempt += 1) {
      try {
        image((await request(client_id)).message);
        return;
      } catch (thrown) {
        if (failureOf(thrown).code !== "timed_out" || attempt === ATTEMPTS) throw thrown;
      }
    }
  }

  return {
    edit: ({ room, seq }: Message, text: string) =>
      insist((client_id) => ask("message:edit", { room, client_id, seq, text })),
    remove: ({ room, seq }: Message) => insist((client_id) => ask("message:delete", { room, client_id, seq })),
  };
}
