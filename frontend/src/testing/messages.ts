import type { Entry, Message, Page } from "@/types/protocol";

/** Values of the protocol with sensible rest. */
export const message = (seq: number, part: Partial<Message> = {}): Message => ({
  room: "general", generation: 1, seq, rev: seq, client_id: `c${seq}`, author: "grace", name: "Grace",
  text: `text ${seq}`, created_at_ms: 1_790_000_000_000 + seq * 60_000, deleted: false, ...part,
});

export const sent = (seq: number): Entry => ({ seq, kind: "message" });
export const changed = (seq: number, of: number): Entry => ({ seq, kind: "change", message: of });
export const skipped = (seq: number): Entry => ({ seq, kind: "tombstone" });

/** A page of these entries; every message entry brings its message unless others are given. */
export function page(entries: Entry[], part: Partial<Page> = {}): Page {
  const messages = entries.filter(({ kind }) => kind === "message").map(({ seq }) => message(seq));
  return { generation: 1, entries, messages, head: entries.at(-1)?.seq ?? 0, more: false, floor: 1, from: 1, ...part };
}

export const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);
