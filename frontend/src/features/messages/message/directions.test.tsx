import { render, screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { formatted } from "@/lib/sentences";
import { MessageText } from "./MessageText";
import { inOneLine, piecesOf } from "./text";

const OVERRIDE = "\u202e";

describe("a name that runs to the left, or turns what is beside it", () => {
  it.each([
    ["אבג", "\u2068אבג\u2069 left."],
    ["سلام", "\u2068سلام\u2069 left."],
    [`a${OVERRIDE}b`, "\u2068ab\u2069 left."],
    ["a\u2069\u202db\u2066", "\u2068ab\u2069 left."],
    ["\u{1e922}", "\u2068\u{1e922}\u2069 left."],
    ["Ada", "Ada left."],
    ["Ада Ådå 李 👩‍👧", "Ада Ådå 李 👩‍👧 left."],
  ])("%j stands apart in a sentence", (name, said) => {
    expect(formatted("{name} left.", "en", { name })).toBe(said);
    expect(formatted([["name"], " left."], "en", { name })).toBe(said);
  });

  it("a number is as before", () => expect(formatted("{n} left.", "en", { n: 3 })).toBe("3 left."));
});

describe("words that are quoted in one line", () => {
  it.each([
    [`${OVERRIDE}evil`, "\u2068evil\u2069"],
    ["שלום\n  עולם", "\u2068שלום עולם\u2069"],
    ["plain words", "plain words"],
  ])("%j turn nothing beside them", (text, line) => expect(inOneLine(text)).toBe(line));

  it("are as long as before", () => {
    expect([...inOneLine("א".repeat(500), 90)]).toHaveLength(90 + 1 + 2);
  });
});

describe("an address", () => {
  it.each([OVERRIDE, "\u202b", "\u2067", "\u200f"])("ends before %j", (turn) => {
    const text = `see https://example.org/${turn}gpj.exe now`;
    const pieces = piecesOf(text);
    expect(pieces.filter(({ link }) => link)).toEqual([
      { link: true, text: "https://example.org/", href: "https://example.org/" },
    ]);
    expect(pieces.map((piece) => piece.text).join("")).toBe(text);
  });

  it("stands apart from what turns the text before it", () => {
    render(<MessageText text={`${OVERRIDE}see https://example.org/a`} />);
    const link = screen.getByRole("link", { name: "https://example.org/a" });
    expect(link.getAttribute("dir")).toBe("ltr"); // by which every browser isolates it
  });

  it("turns nothing beside it: the text has a paragraph of its own", () => {
    render(<MessageText text={`${OVERRIDE}evil`} />);
    expect(screen.getByTestId("message-text").tagName).toBe("DIV");
  });
});
