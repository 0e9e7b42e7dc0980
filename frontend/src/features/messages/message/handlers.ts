import type { ReactionHandlers } from "@/features/messages/reactions/handlers";
import type { Message } from "@/types/protocol";

/** What a person can do with a message. */
export interface MessageHandlers extends ReactionHandlers {
  edit(message: Message, text: string): Promise<void>;
  remove(message: Message): Promise<void>;
  reply(message: Message): void;
  /** Puts the message's address on the clipboard. */
  copyLink(seq: number): void;
  jump(seq: number): void;
  /** Fetches a message of which only the number is known. */
  find(seq: number): void;
  /** Opens and closes the field in which this message is edited. */
  setEditing(seq: number | null): void;
  /** What was typed in that field and not saved, also before the page was loaded. */
  kept(seq: number): string | undefined;
  keep(seq: number, typed: string): void;
}
