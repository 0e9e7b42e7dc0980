import type { Store } from "@/lib/store";
import type { Emoji, Message } from "@/types/protocol";
import type { Wishes } from "./wishes";

/** What a person can do with the reactions to a message. */
export interface ReactionHandlers {
  react(message: Message, emoji: string, wanted: boolean): void;
  /** Reactions that are wanted otherwise than they are, until the server has answered. */
  wishes: Store<Wishes>;
  who(message: Message): Promise<Record<Emoji, string[]>>;
}
