/** What message text is made of. It is plain text: only http(s) addresses become links. */
import { sentence } from "@/lib/language";
import { apart } from "@/lib/sentences";

export const MAX_CHARACTERS = 4_000;
export const COUNTER_FROM = 3_600;
export const TOO_LONG = sentence("A message has at most 4,000 characters.");

export type Piece = { link: false; text: string } | { link: true; text: string; href: string };

/** No address has the signs that turn a text's direction: they would show another one than it leads to. */
const ADDRESS = /https?:\/\/[^\s<>"'`\u200e-\u200f\u202a-\u202e\u2066-\u2069]+/gi;
const AFTERTHOUGHT = new Set(".,;:!?*_~…");
const OPENING = new Set("([{");
const CLOSING = new Set(")]}");
/**
 * Longer ones stay text, as does what names a host longer than any is: to take such a thing apart costs more than its
 * length.
 */
const MAX_ADDRESS_CHARACTERS = 2_048;
const MAX_HOST_CHARACTERS = 300;

/**
 * The text in pieces, none of it lost. Like everything here it runs over what anybody sends: its work grows with the
 * length, no faster.
 */
export function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const address = trimmed(match[0]);
    if (!isAddress(address)) continue;
    if (match.index > from) pieces.push({ link: false, text: text.slice(from, match.index) });
    pieces.push({ link: true, text: address, href: address });
    from = match.index + address.length;
  }
  if (from < text.length) pieces.push({ link: false, text: text.slice(from) });
  return pieces;
}

/** Without the punctuation of the sentence around it; a closing bracket belongs to it only if it was opened in it. */
function trimmed(found: string): string {
  let unopened = 0;
  for (const character of found) unopened += Number(CLOSING.has(character)) - Number(OPENING.has(character));
  let end = found.length;
  for (; end > 0; end -= 1) {
    const last = found.charAt(end - 1);
    if (CLOSING.has(last) && unopened > 0) unopened -= 1;
    else if (!AFTERTHOUGHT.has(last)) break;
  }
  return found.slice(0, end);
}

function isAddress(text: string): boolean {
  if (text.length > MAX_ADDRESS_CHARACTERS || hostIn(text).length > MAX_HOST_CHARACTERS) return false;
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

/** With the port and the name before it, if there is one. */
const hostIn = (address: string) => /^[^:]*:\/\/([^/\\?#]*)/.exec(address)?.[1] ?? "";

const EMOJI_ONLY = /^(?:\p{Extended_Pictographic}|\p{Regional_Indicator}|\p{Emoji_Modifier}|\u200d|\ufe0f|\s)+$/u;
const AN_EMOJI = /[\p{Extended_Pictographic}\p{Regional_Indicator}]/u;

/** A few emoji and nothing else: shown large. */
export const isEmojiOnly = (text: string): boolean => text.length <= 40 && EMOJI_ONLY.test(text) && AN_EMOJI.test(text);

/** Taller than anybody wants to scroll past: shown cut, with "show more". */
export const isTall = (text: string): boolean => text.length > 1_800 || (text.match(/\n/g)?.length ?? 0) > 18;

/** As the server counts: code points, not UTF-16 units. */
export const charactersIn = (text: string): number =>
  text.length <= COUNTER_FROM / 2 ? text.length : [...text].length;

/** One line that stands for a message elsewhere: a quote, an announcement. Turns nothing beside it. */
export const inOneLine = (text: string, characters = 140): string => {
  const line = [...text.slice(0, characters * 3).replace(/\s+/g, " ").trim()];
  return apart(line.length > characters ? `${line.slice(0, characters).join("")}…` : line.join(""));
};
