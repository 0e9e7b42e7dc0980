/** What message text is made of. It is plain text: only http(s) addresses become links. */

export const MAX_CHARACTERS = 4_000;
export const COUNTER_FROM = 3_600;
export const TOO_LONG = "A message has at most 4,000 characters.";

export type Piece = { link: false; text: string } | { link: true; text: string; href: string };

const ADDRESS = /https?:\/\/[^\s<>"'`]+/gi;
const AFTERTHOUGHT = /[.,;:!?*_~…]+$/;

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
  let address = found.replace(AFTERTHOUGHT, "");
  while (/[)\]}]$/.test(address) && count(address, /[([{]/g) < count(address, /[)\]}]/g)) {
    address = address.slice(0, -1).replace(AFTERTHOUGHT, "");
  }
  return address;
}

const count = (text: string, what: RegExp) => text.match(what)?.length ?? 0;

function isAddress(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

const EMOJI_ONLY = /^(?:\p{Extended_Pictographic}|\p{Regional_Indicator}|\p{Emoji_Modifier}|\u200d|\ufe0f|\s)+$/u;
const AN_EMOJI = /[\p{Extended_Pictographic}\p{Regional_Indicator}]/u;

/** A few emoji and nothing else: shown large. */
export const isEmojiOnly = (text: string): boolean => text.length <= 40 && EMOJI_ONLY.test(text) && AN_EMOJI.test(text);

/** Taller than anybody wants to scroll past: shown cut, with "show more". */
export const isTall = (text: string): boolean => text.length > 1_800 || (text.match(/\n/g)?.length ?? 0) > 18;

/** As the server counts: code points, not UTF-16 units. */
export const charactersIn = (text: string): number => (text.length <= COUNTER_FROM / 2 ? text.length : [...text].length);

/** One line that stands for a message elsewhere: a quote, an announcement. */
export const inOneLine = (text: string, characters = 140): string => {
  const line = [...text.slice(0, characters * 3).replace(/\s+/g, " ").trim()];
  return line.length > characters ? `${line.slice(0, characters).join("")}…` : line.join("");
};
