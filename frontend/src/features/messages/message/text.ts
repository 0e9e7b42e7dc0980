/** What message text is made of. It is plain text: only http(s) addresses become links. */
import emojiPattern from "emoji-regex-xs";
import { sentence } from "@/lib/language";
import { apart } from "@/lib/sentences";

export const MAX_CHARACTERS = 4_000;
export const COUNTER_FROM = 3_600;
export const TOO_LONG = sentence("A message has at most 4,000 characters.");

/** As it is sent: without the blank around it, but with what indents its first line. */
export const tidied = (typed: string): string => typed.replace(/^(?:[ \t]*\r?\n)+/, "").trimEnd();

export type Piece = { link: false; text: string } | { link: true; text: string; href: string };

/**
 * To the next space, or to what ends a sentence or a quotation beyond ASCII, where the next word follows at once; or to
 * a sign that turns a text's direction, which would show another address than it leads to.
 */
const ADDRESS = /https?:\/\/(?:(?![<>"'`])[!-~]|[^\0-\x7f\s\p{Term}\p{QMark}\p{Ps}\p{Pe}\p{Bidi_C}])+/giu;
const AFTERTHOUGHT = /[.,;:!?*_~]|[^\0-\x7f\P{P}]|\p{Cf}/u;
const OPENING = new Set("([{");
const CLOSING = new Set(")]}");
/**
 * Longer ones stay text, as does what names a host longer than any is: to take such a thing apart costs more than its
 * length.
 */
const MAX_ADDRESS_CHARACTERS = 2_048;
const MAX_HOST_CHARACTERS = 300;

/** Unicode's own breaks of lines and paragraphs, which no browser breaks a line at. */
const UNICODE_BREAK = /[\u2028\u2029]/g;

/**
 * The text in pieces, none of it lost. Like everything here it runs over what anybody sends: its work grows with the
 * length, no faster.
 */
export function piecesOf(given: string): Piece[] {
  const text = given.replace(UNICODE_BREAK, "\n");
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
    else if (!AFTERTHOUGHT.test(last)) break;
  }
  return found.slice(0, end);
}

function isAddress(text: string): boolean {
  if (text.length > MAX_ADDRESS_CHARACTERS || hostIn(text).length > MAX_HOST_CHARACTERS) return false;
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

/** With the port and the name before it, if there is one. */
const hostIn = (address: string) => /^[^:]*:\/\/([^/\\?#]*)/.exec(address)?.[1] ?? "";

const EMOJI = emojiPattern();

/** A few emoji and nothing else: shown large. */
export const isEmojiOnly = (text: string): boolean =>
  text.length <= 40 && text.trim() !== "" && text.replace(EMOJI, "").trim() === "";

/** Taller than anybody wants to scroll past: shown cut, with "show more". */
export const isTall = (text: string): boolean =>
  text.length > 1_800 || (text.match(/[\n\u2028\u2029]/g)?.length ?? 0) > 18;

/** As the server counts: code points, not UTF-16 units. */
export const charactersIn = (text: string): number =>
  text.length <= COUNTER_FROM / 2 ? text.length : [...text].length;

/** One line that stands for a message elsewhere: a quote, an announcement. Turns nothing beside it. */
export const inOneLine = (text: string, characters = 140): string => {
  const line = [...text.slice(0, characters * 3).replace(/\s+/g, " ").trim()];
  return apart(line.length > characters ? `${line.slice(0, characters).join("")}…` : line.join(""));
};
