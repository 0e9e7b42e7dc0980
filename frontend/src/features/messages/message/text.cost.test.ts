// @vitest-environment node
import { describe, expect, it } from "vitest";
import * as text from "./text";

/**
 * Anybody may send these 4,000 characters to everybody, who then render them at every visit: what runs over the text of
 * a message takes ten times as long for ten times as much, not a hundred times, and never long enough to be felt.
 */
const TIMES = 10;
const SHORT = 400;
const MOST_TIMES_SLOWER = 50; // a hundred where the work grows with the square
const MOST_MS = 25;
/** What is done with a short text by a shorter way, and so in no time, is given this much. */
const LEAST_MS = 0.05;
/** Below this a measurement is noise: what is quicker is done many times. */
const MEASURED_MS = 1.5;

const fill = (characters: number, ...parts: [what: string, share: number][]) =>
  parts
    .map(([what, share]) => what.repeat(Math.ceil((characters * share) / what.length)))
    .join("")
    .slice(0, characters);
const marks = Array.from({ length: 240 }, (_, index) => String.fromCodePoint(0x300 + (index % 0x6f))).join("");
const letters = Array.from({ length: 2_000 }, (_, index) => String.fromCodePoint(0x4e00 + index * 7)).join("");

const WORST: Record<string, (characters: number) => string> = {
  "dots, then brackets": (characters) => fill(characters, ["http://a", 8 / characters], [".", 2 / 3], [")", 1 / 3]),
  "dots and brackets in turn": (characters) => `http://a${fill(characters - 8, [".)", 1])}`,
  "dots that do not end it": (characters) => `http://a${fill(characters - 9, [".", 1])}x`,
  "runs of dots": (characters) => `http://a${fill(characters - 8, ["...............x", 1])}`,
  "brackets that are opened": (characters) => `http://a/${fill(characters - 9, ["(", 0.5], [")", 0.5])}`,
  "brackets alone": (characters) => `http://a/${fill(characters - 9, [")", 1])}`,
  "many addresses": (characters) => fill(characters, ["http://a ", 1]),
  "almost addresses": (characters) => fill(characters, ["http:/", 1]),
  "addresses in addresses": (characters) => fill(characters, ["http://", 1]),
  "one host of marks": (characters) => `http://a${fill(characters - 8, [marks, 1])}`,
  "hosts of marks": (characters) => fill(characters, [`http://a${marks}/ `, 1]),
  "hosts of different letters": (characters) => fill(characters, [`http://${letters.slice(0, 180)}/ `, 1]),
  "a host of different letters": (characters) => `http://${fill(characters - 7, [letters, 1])}`,
  "paths of different letters": (characters) => fill(characters, [`http://a/${letters.slice(0, 180)} `, 1]),
  "dots up": (characters) => `http://a${fill(characters - 8, ["/a/..", 1])}`,
  "percent signs": (characters) => `http://a/${fill(characters - 9, ["%zz", 1])}`,
  "spaces": (characters) => `a${fill(characters - 2, [" ", 1])}a`,
  "spaces of every kind": (characters) => `a${fill(characters - 2, ["\u00a0\t\n\u3000", 1])}a`,
  "lines": (characters) => fill(characters, ["\n", 1]),
  "emoji, but not alone": (characters) => `${fill(characters - 1, ["👍🏽", 1])}a`,
  "joiners": (characters) => `${fill(characters - 1, ["👩\u200d", 1])}a`,
  "flags and half emoji": (characters) => fill(characters, ["🇫\ud83d", 1]),
  "marks": (characters) => `a${fill(characters - 1, [marks, 1])}`,
};

const median = (numbers: number[]) => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;

const { process } = globalThis as unknown as { process: { cpuUsage(): { user: number; system: number } } };

/** Of this process: whatever else the machine does costs it no time of its own. */
const cpu_ms = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};

/** What one call takes, as the median of several measurements of each of the two, taken in turn. */
function times(act: (given: string) => unknown, short: string, long: string): [short_ms: number, long_ms: number] {
  const measured = (given: string, calls: number) => {
    const from_ms = cpu_ms();
    for (let call = 0; call < calls; call += 1) act(given);
    return (cpu_ms() - from_ms) / calls;
  };
  const once_ms = measured(long, 1);
  if (once_ms > 10 * MOST_MS) return [0, once_ms];
  const enough = (given: string) => {
    let calls = 1;
    while (measured(given, calls) * calls < MEASURED_MS && calls < 4_096) calls *= 2;
    return calls;
  };
  const [often, seldom] = [enough(short), enough(long)];
  const taken = Array.from({ length: 3 }, () => [measured(short, often), measured(long, seldom)] as const);
  return [median(taken.map(([ms]) => ms)), median(taken.map(([, ms]) => ms))];
}

const functions = Object.entries(text).flatMap(([name, act]) =>
  typeof act === "function" ? [[name, act as (given: string) => unknown] as const] : [],
);

describe.each(functions)("%s", (_name, act) => {
  it.each(Object.entries(WORST))("takes no longer than the length allows: %s", (_what, of) => {
    const [short, long] = [of(SHORT), of(SHORT * TIMES)];
    expect([short.length, long.length]).toEqual([SHORT, SHORT * TIMES]);
    const [short_ms, long_ms] = times(act, short, long);
    expect(long_ms).toBeLessThan(MOST_MS);
    expect(long_ms / Math.max(short_ms, LEAST_MS)).toBeLessThan(MOST_TIMES_SLOWER);
  });
});

it("what is measured is all that runs over text", () => {
  expect(functions.map(([name]) => name).sort()).toEqual([
    "charactersIn",
    "inOneLine",
    "isEmojiOnly",
    "isTall",
    "piecesOf",
    "tidied",
  ]);
});
