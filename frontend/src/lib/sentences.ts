/** What a compiled sentence consists of: text, names of values, and what is said of so many. */
export type Part = string | [name: string] | [name: string, kind: "plural", forms: { [form: string]: Compiled }];
export type Compiled = string | readonly Part[];

export interface Catalogue {
  [sentence: string]: Compiled;
}

export interface Values {
  [name: string]: string | number;
}

/**
 * The sentence with its values. One that is not compiled has at most names in it. This reads what @lingui/cli compiles;
 * its own runtime is four times as large, and takes a backslash in a value for an escape.
 */
export function formatted(compiled: Compiled, language: string, values: Values = {}, count?: number): string {
  const parts = typeof compiled === "string" ? partsOf(compiled) : compiled;
  const said = (part: Part) => {
    if (part === "#" && count !== undefined) return count.toLocaleString(language);
    if (typeof part === "string") return part;
    const [name, , forms] = part;
    const value = values[name] ?? "";
    if (!forms) return typeof value === "string" ? apart(value) : value;
    const form = forms[value] ?? forms[new Intl.PluralRules(language).select(Number(value))] ?? forms.other ?? "";
    return formatted(form, language, values, Number(value));
  };
  return parts.map(said).join("");
}

/** What turns the direction of what stands beside it: letters that run to the left, and signs that only turn. */
const TURNING =
  /[\u0590-\u08ff\u200e-\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufeff\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;
const TURNS = /[\u202a-\u202e\u2066-\u2069]/g;

/** A value that turns nothing beside it. */
export const apart = (value: string) => (TURNING.test(value) ? `\u2068${value.replace(TURNS, "")}\u2069` : value);

const partsOf = (sentence: string): Part[] =>
  sentence.split(/\{(\w+)\}/).map((part, at) => (at % 2 ? [part] : part));
