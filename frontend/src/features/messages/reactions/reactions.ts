import { failureOf } from "@/lib/failure";
import { newClientId } from "@/lib/identifiers";
import { t } from "@/lib/language";
import { createStore, type Store } from "@/lib/store";
import type { Ask, Emoji, Message } from "@/types/protocol";
import { keyOf, wished, wishFor, type MessageKey, type Wish, type Wishes } from "./wishes";

const ATTEMPTS = 3;

interface Needs {
  ask: Ask;
  /** Asks what is no act. */
  look: Ask;
  snapshot(message: Message): void;
  me: string;
}

export type Reactions = ReturnType<typeof createReactions>;

/**
 * Reactions are shown at once and taken back when they are refused. Of one emoji on one message a single request is
 * under way; what is wished meanwhile is asked for when it has its answer.
 */
export function createReactions({ ask, look, snapshot, me }: Needs) {
  const wishes: Store<Wishes> = createStore({});

  const wishOf = (key: MessageKey, emoji: Emoji) => wishFor(wishes.get(), key, emoji);
  const wish = (key: MessageKey, emoji: Emoji, next: Wish | null) => wishes.set((all) => wished(all, key, emoji, next));

  async function request({ room, seq }: Message, emoji: string, wanted: boolean): Promise<Message | undefined> {
    const payload = { room, client_id: newClientId(), seq, emoji };
    for (let attempt = 1; ; attempt += 1) {
      try {
        return (await ask(wanted ? "reaction:add" : "reaction:remove", payload)).message;
      } catch (thrown) {
        if (failureOf(thrown).code !== "timed_out" || attempt === ATTEMPTS) throw thrown;
      }
    }
  }

  return {
    wishes,

    /** Resolves when the server has it as it was wished last. Rejects with the Failure that ended the wish. */
    async react(message: Message, emoji: string, wanted: boolean): Promise<void> {
      const key = keyOf(message);
      const former = wishOf(key, emoji);
      const others = (message.reactions?.[emoji] ?? 0) - (message.mine?.includes(emoji) ? 1 : 0);
      wish(key, emoji, { wanted, others: former?.others ?? others });
      if (former) return;
      try {
        for (let asked = !wanted; wishOf(key, emoji)?.wanted !== asked; ) {
          asked = wishOf(key, emoji)?.wanted ?? wanted;
          const now = await request(message, emoji, asked);
          if (now) snapshot(now);
        }
      } finally {
        wish(key, emoji, null);
      }
    },

    /** Emoji → the names of those who reacted with it, me as "you" at the end. */
    async who({ room, seq }: Message): Promise<Record<Emoji, string[]>> {
      const { reactions } = await look("reaction:list", { room, seq });
      return Object.fromEntries(Object.entries(reactions).map(([emoji, names]) => [emoji, meLast(names, me)]));
    },
  };
}

const meLast = (names: string[], me: string) =>
  names.includes(me) ? [...names.filter((name) => name !== me), t("you")] : names;

