import { t } from "@/lib/language";

const NAMED = 8;

/** "Ada, Grace and you", or "Ada, Grace … and 40 others" of so many in all. */
export function inWords(names: readonly string[], count: number): string {
  const others = Math.max(count, names.length) - NAMED;
  const named = others > 1 ? names.slice(0, NAMED) : names;
  const rest = Math.max(count, names.length) - named.length;
  const last = rest > 0 ? t("{count, plural, one {# other} other {# others}}", { count: rest }) : named.at(-1);
  const first = rest > 0 ? named : named.slice(0, -1);
  const said = first.length > 0 ? t("{names} and {last}", { names: first.join(", "), last: last ?? "" }) : (last ?? "");
  return said.charAt(0).toUpperCase() + said.slice(1);
}
