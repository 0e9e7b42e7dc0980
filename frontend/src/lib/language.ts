import { createStore } from "@/lib/store";
import { messages as plurals } from "virtual:plurals";
import { formatted, type Catalogue, type Values } from "./sentences";

/** Each by the name that it has for itself. */
export const LANGUAGES = { en: "English", de: "Deutsch" } as const;
export type Language = keyof typeof LANGUAGES;

/** English stands in the code, but for its plurals; of the other languages one is fetched, if it is wanted. */
const CATALOGUES: Record<Language, () => Promise<{ messages: Catalogue }>> = {
  en: async () => ({ messages: plurals }),
  de: () => import("@/words/de.po"),
};

const KEY = "parley.language";
export const language = createStore<Language>("en");
let catalogue = plurals;

/**
 * The sentence in the language of the page. It is given in English, as it stands in the catalogues, with the names of
 * `values` in it.
 */
export const t = (sentence: string, values?: Values): string =>
  formatted(catalogue[sentence] ?? sentence, language.get(), values);

/** Marks a sentence that is said later, by `t`. */
export const sentence = (sentence: string): string => sentence;

/** The sentence that the language has under this name; undefined where it has none. */
export const known = (name: string, values?: Values): string | undefined =>
  Object.hasOwn(catalogue, name) ? t(name, values) : undefined;

/** Speaks the language that was chosen here, or the first of the browser's that there is; before anything shows. */
export const startLanguage = (): Promise<void> => speak(remembered() ?? wanted(navigator.languages));

/** From now on all is said in that language. Stays as it is while the catalogue cannot be had. */
export async function speak(next: Language): Promise<void> {
  const fetched = await CATALOGUES[next]().catch(() => null);
  if (!fetched) return;
  catalogue = fetched.messages;
  document.documentElement.lang = next;
  language.set(next);
}

/** The same, and for every later visit of this browser. */
export function choose(next: Language): Promise<void> {
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // Not remembered, then.
  }
  return speak(next);
}

export const isLanguage = (tag: unknown): tag is Language => Object.hasOwn(LANGUAGES, String(tag));

const primary = (tag: string) => tag.split("-")[0]?.toLowerCase();

/** The first of these languages that there is; else English. */
export const wanted = (tags: readonly string[]): Language => tags.map(primary).find(isLanguage) ?? "en";

function remembered(): Language | null {
  try {
    const kept = localStorage.getItem(KEY);
    return isLanguage(kept) ? kept : null;
  } catch {
    return null;
  }
}

/** The page's language as it is written where the browser is at home (`en-GB`), for dates and numbers. */
export const regional = (): string =>
  navigator.languages.find((tag) => primary(tag) === language.get()) ?? language.get();

/** `4,000`, or `4.000`. */
export const inDigits = (count: number): string => count.toLocaleString(regional());
