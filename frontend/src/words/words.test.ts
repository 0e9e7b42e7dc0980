import { describe, expect, it } from "vitest";
import type { Compiled, Part } from "@/lib/sentences";
import { unsaidIn } from "@/testing/unsaid";
import { eachSentence, parse } from "../../scripts/sentences.mjs";
import { messages as german } from "./de.po";

const all = import.meta.glob<string>("../**/*.{ts,tsx}", { query: "?raw", import: "default", eager: true });
const sources = Object.entries(all).filter(([path]) => !/\.test\.|\/testing\/|\/words\//.test(path));
const files = sources.map(([path, code]) => parse(path, code));
const catalogues = Object.entries(
  import.meta.glob<string>("./*.po", { query: "?raw", import: "default", eager: true }),
);

/** What each catalogue must have for the page. The server's refusals beside it are held to by tests/test_alike.py. */
const wanted = new Set<string>();
for (const file of files) eachSentence(file, (sentence) => wanted.add(sentence));

/** A catalogue: English, and what it is in that language. */
function entries(catalogue: string): [id: string, said: string][] {
  const text = (quoted = "") => JSON.parse(quoted) as string;
  return [...catalogue.matchAll(/^msgid ("(?:[^"\\]|\\.)+")\nmsgstr ("(?:[^"\\]|\\.)*")$/gm)]
    .map(([, id, said]) => [text(id), text(said)]);
}

describe("everything that is said stands in the catalogues", () => {
  it("the sources are read", () => {
    expect(files.length).toBeGreaterThan(90);
    expect(wanted.size).toBeGreaterThan(250);
  });

  it("no text, label or title is written past them", () => {
    expect(files.flatMap(unsaidIn)).toEqual([]);
  });

  it.each([
    ["text", "const A = () => <p>Hello there</p>;", "Hello there"],
    ["one word", "const A = () => <p>{name} left</p>;", "left"],
    ["text behind a condition", 'const A = () => <p>{late && "Late"}</p>;', "Late"],
    ["text of a choice", 'const A = () => <p>{late ? t("Late") : "Early"}</p>;', "Early"],
    ["text with a value", "const A = () => <p>{`${n} left`}</p>;", " left"],
    ["a label", 'const A = () => <i aria-label="Close" />;', "Close"],
    ["a chosen label", 'const A = () => <i aria-label={open ? "Close" : t("Open")} />;', "Close"],
    ["a title", 'const A = () => <i title="Close" />;', "Close"],
    ["a title with a value", "const A = () => <i title={`Join ${room}`} />;", "Join "],
    ["a placeholder", 'const A = () => <input placeholder="Go" />;', "Go"],
    ["a description of a picture", 'const A = () => <img alt="Cat" />;', "Cat"],
    ["a field's name", 'const A = () => <TextField label="Name" hint={t("Yours")} />;', "Name"],
    ["an announcement", 'say("Copied");', "Copied"],
    ["a failure", 'new Failure({ code: "odd", message: "Odd.", retry: false });', "Odd."],
    ["the title of the page", 'document.title = unsent ? "Unsent" : name;', "Unsent"],
    ["a sentence, wherever it is", 'const WORDS = { odd: "Something is odd" };', "Something is odd"],
    ["a sentence with a value", "const f = (n) => `There are ${n}`;", "There are "],
    ["what is put together before it is said", "t(`Join ${room}`);", "`Join ${room}`"],
    ["what is glued together before it is said", 't("Join " + room);', '"Join " + room'],
  ])("%s is found", (_, code, found) => {
    expect(unsaidIn(parse("a.tsx", code)).map(({ text }) => text)).toContain(found);
  });

  it.each([
    'const A = () => <p aria-label={t("Close")}>{t("Late")} · {name} 12</p>;',
    'const A = () => <p className="some class" data-state="not read">{late ? t("Late") : known("refusal.busy")}</p>;',
    'const WORDS = { odd: sentence("Something is odd") }; t(WORDS.odd);',
    'throw new Error("not for people to read");',
  ])("%s is well", (code) => expect(unsaidIn(parse("a.tsx", code))).toEqual([]));
});

describe.each(catalogues)("%s", (_, catalogue) => {
  const held = entries(catalogue);
  const ours = held.map(([id]) => id).filter((id) => !/^refusal\.(?!incident|elsewhere)/.test(id));

  it("has an entry for all that is said, and none for what is not", () => {
    expect(ours.sort()).toEqual([...wanted].sort());
    expect(catalogue).not.toContain("#~");
  });

  it("leaves none empty", () => {
    expect(held.filter(([, said]) => !said.trim()).map(([id]) => id)).toEqual([]);
  });

  it("puts in the values that the English has", () => {
    const values = (text: string) => [...text.matchAll(/\{(\w+)[},]/g)].map(([, name]) => name).sort();
    const others = held.filter(([id, said]) => !id.startsWith("refusal.") && `${values(id)}` !== `${values(said)}`);
    expect(others).toEqual([]);
  });
});

it("catalogues have no other forms than the page can say", () => {
  const kinds = (compiled: Compiled): (string | undefined)[] =>
    typeof compiled === "string" ? [] : compiled.flatMap((part: Part) =>
      typeof part === "string" ? [] : [part[1], ...Object.values(part[2] ?? {}).flatMap(kinds)]);
  const found = new Set(Object.values(german).flatMap(kinds));
  expect(found).toEqual(new Set([undefined, "plural"]));
});

it("a part that says something and is kept as it was drawn watches for another language", () => {
  const memos = sources.filter(([, code]) => /\bmemo\(/.test(code));
  expect(memos.length).toBeGreaterThan(1);
  expect(memos.filter(([, code]) => !/\buseValue\(language\)/.test(code)).map(([path]) => path)).toEqual([]);
});
