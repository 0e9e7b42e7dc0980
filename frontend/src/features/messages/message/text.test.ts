// @vitest-environment node
import { describe, expect, it } from "vitest";
import emoji from "@/testing/emoji.json";
import { charactersIn, inOneLine, isEmojiOnly, isTall, piecesOf } from "./text";

const links = (text: string) => piecesOf(text).flatMap((piece) => (piece.link ? [piece.href] : []));

describe("links", () => {
  it.each([
    ["see https://example.org/a?b=1#c now", ["https://example.org/a?b=1#c"]],
    ["http://a.example and https://b.example", ["http://a.example", "https://b.example"]],
    ["(https://example.org).", ["https://example.org"]],
    [
      "https://en.wikipedia.org/wiki/Parley_(disambiguation), read it",
      ["https://en.wikipedia.org/wiki/Parley_(disambiguation)"],
    ],
    ["Really? https://example.org/?!", ["https://example.org/"]],
    ["javascript:alert(1) data:text/html,x file:///etc/passwd", []],
    ["https:// is no address", []],
    ['<a href="https://example.org/x">', ["https://example.org/x"]],
    ["(see [https://example.org/(a).b)!)])", ["https://example.org/(a).b"]],
    ["見て「https://example.org/あ」と。https://b.example、https://c.example。次", [
      "https://example.org/あ", "https://b.example", "https://c.example",
    ]],
    ["（https://example.org/x）：https://b.example？", ["https://example.org/x", "https://b.example"]],
    ["انظر https://example.org/ب، أو https://b.example؟", ["https://example.org/ب", "https://b.example"]],
    ["देखें https://example.org/x।", ["https://example.org/x"]],
    ["„https://example.org/x“ «https://b.example» ‹https://c.example› “https://d.example”", [
      "https://example.org/x", "https://b.example", "https://c.example", "https://d.example",
    ]],
    ["https://example.org/x – and https://b.example/y—", ["https://example.org/x", "https://b.example/y"]],
    ["https://en.wikipedia.org/wiki/Michelson–Morley_experiment", [
      "https://en.wikipedia.org/wiki/Michelson–Morley_experiment",
    ]],
    ["\u2067https://example.org/x\u2069 https://b.example/y\u200e", ["https://example.org/x", "https://b.example/y"]],
    ["https://example.org/x\u2028https://b.example", ["https://example.org/x", "https://b.example"]],
  ])("in %s", (text, expected) => {
    expect(links(text)).toEqual(expected);
  });

  it("end where no address goes on: at 2,048 characters, and at a host of 300", () => {
    const path = (characters: number) => `https://example.org/${"a".repeat(characters - 20)}`;
    expect([path(2_048), path(2_049), `http://${"a".repeat(301)}/`].map((text) => links(text).length)).toEqual([
      1, 0, 0,
    ]);
  });

  it("lose nothing of the text around them", () => {
    const text = "one https://example.org/, two\n<b>three</b> (https://example.org/x)";
    expect(piecesOf(text).map((piece) => piece.text).join("")).toBe(text);
  });
});

it("Unicode's separators of lines and paragraphs break the line, and count as lines", () => {
  expect(piecesOf("a\u2028b\u2029https://example.org/\u2028c").map(({ text }) => text)).toEqual([
    "a\nb\n", "https://example.org/", "\nc",
  ]);
  expect([isTall("a\u2028".repeat(30)), inOneLine("a\u2028b\u2029c")]).toEqual([true, "a b c"]);
});

describe("emoji alone", () => {
  // Of the same list tests/services/test_reactions.py takes what may be a reaction, and what may not.
  const large = [...emoji.one.flat(), ...emoji.several];
  it.each(large)("%s is shown large", (text) => expect(isEmojiOnly(text)).toBe(true));
  it.each(emoji.none)("%j is not", (text) => expect(isEmojiOnly(text)).toBe(false));
});

it("tall text is known by its lines and its length", () => {
  expect([isTall("a\n".repeat(30)), isTall("a".repeat(2000)), isTall("a\nb")]).toEqual([true, true, false]);
});

it("characters are counted as the server does", () => {
  expect([charactersIn("👍".repeat(2500)), charactersIn("abc")]).toEqual([2500, 3]);
});

it("one line of a text has neither breaks nor half an emoji", () => {
  expect([inOneLine("a\n\nb  c"), inOneLine("👍👍👍", 2)]).toEqual(["a b c", "👍👍…"]);
});
