import { notCopied } from "@/lib/failure";

/** Puts a text on the clipboard. Throws `not_copied`: without https there is no clipboard, and it may be refused. */
export async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    throw notCopied();
  }
}
