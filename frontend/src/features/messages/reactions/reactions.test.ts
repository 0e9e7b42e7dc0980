// @vitest-environment node
import { beforeEach, describe, expect, it } from "vitest";
import { Failure, offline, timedOut } from "@/lib/failure";
import { settled } from "@/testing/fakeClock";
import { message } from "@/testing/messages";
import type { Ask, Message } from "@/types/protocol";
import { createReactions, type Reactions } from "./reactions";
import { keyOf, pillsOf } from "./wishes";
import { inWords } from "./words";

const plain = message(1);
const liked = message(1, { rev: 4, reactions: { "👍": 2 }, mine: ["👍"] });

describe("what is shown", () => {
  it("is what the message says", () => {
    expect(pillsOf(liked)).toEqual([{ emoji: "👍", count: 2, mine: true }]);
    expect(pillsOf(message(1, { reactions: { "👍": 2 } }))).toEqual([{ emoji: "👍", count: 2, mine: false }]);
    expect(pillsOf(plain)).toEqual([]);
  });

  it("counts me once while my wish is on its way, also when the push that counts me is quicker than the answer", () => {
    const wish = { "👍": { wanted: true, others: 1 } };
    const counts = [1, 2, 3].map((count) => pillsOf(message(1, { reactions: { "👍": count } }), wish)[0]?.count);
    expect(counts).toEqual([2, 2, 3]);
  });

  it("is without me while the wish to take mine back is on its way", () => {
    expect(pillsOf(liked, { "👍": { wanted: false, others: 1 } })).toEqual([{ emoji: "👍", count: 1, mine: false }]);
    expect(
      pillsOf(message(1, { reactions: { "👍": 1 }, mine: ["👍"] }), { "👍": { wanted: false, others: 0 } }),
    ).toEqual([]);
  });
});

describe("reacting", () => {
  let asked: [event: string, emoji: string, client_id: string][];
  let answer: (() => Promise<{ message: Message }>)[];
  let snapshots: Message[];
  let reactions: Reactions;
  let let_go: (() => void)[];

  beforeEach(() => {
    [asked, answer, snapshots, let_go] = [[], [], [], []];
    const ask = (event: string, { emoji, client_id }: { emoji: string; client_id: string }) => {
      asked.push([event, emoji, client_id]);
      return answer.shift()?.() ?? Promise.resolve({ message: liked });
    };
    const look = async () => ({ reactions: { "👍": ["Ada", "Grace"], "🎉": ["Grace"] } });
    reactions = createReactions({
      ask: ask as unknown as Ask,
      look: look as unknown as Ask,
      snapshot: (snapshot) => snapshots.push(snapshot),
      me: "Ada",
    });
  });

  const refusing = (failure: Failure) => () => Promise.reject(failure);
  const later = () => new Promise<{ message: Message }>((resolve) => let_go.push(() => resolve({ message: liked })));
  const wishes = () => reactions.wishes.get()[keyOf(plain)];

  it("is a wish until the answer is here, which brings the snapshot first", async () => {
    answer = [later];
    const done = reactions.react(plain, "👍", true);
    expect(wishes()).toEqual({ "👍": { wanted: true, others: 0 } });
    let_go[0]?.();
    await done;
    expect([wishes(), snapshots, asked.map(([event]) => event)]).toEqual([undefined, [liked], ["reaction:add"]]);
  });

  it("that is refused is taken back, and says why", async () => {
    answer = [refusing(new Failure({ code: "reactions_full", message: "Full.", retry: false }))];
    await expect(reactions.react(plain, "👍", true)).rejects.toThrow("Full.");
    expect([wishes(), snapshots]).toEqual([undefined, []]);
  });

  it("is not tried again when nobody can be reached", async () => {
    answer = [refusing(offline())];
    await expect(reactions.react(plain, "👍", true)).rejects.toThrow();
    expect([wishes(), asked.length]).toEqual([undefined, 1]);
  });

  it("whose answer is lost is asked for again under the same client_id", async () => {
    answer = [refusing(timedOut()), refusing(timedOut())];
    await reactions.react(plain, "👍", true);
    expect([asked.length, new Set(asked.map(([, , id]) => id)).size]).toEqual([3, 1]);
  });

  it("and thinking otherwise meanwhile asks for the last wish, one after the other", async () => {
    answer = [later, later];
    const done = reactions.react(plain, "👍", true);
    await reactions.react(plain, "👍", false);
    expect([asked.length, wishes()?.["👍"]]).toEqual([1, { wanted: false, others: 0 }]);
    let_go[0]?.();
    await settled();
    expect(asked.map(([event]) => event)).toEqual(["reaction:add", "reaction:remove"]);
    let_go[1]?.();
    await done;
    expect([wishes(), new Set(asked.map(([, , id]) => id)).size]).toEqual([undefined, 2]);
  });

  it("twice otherwise is one request", async () => {
    answer = [later];
    const done = reactions.react(plain, "👍", true);
    await reactions.react(plain, "👍", false);
    await reactions.react(plain, "👍", true);
    let_go[0]?.();
    await done;
    expect(asked.map(([event]) => event)).toEqual(["reaction:add"]);
  });

  it("with two emoji at once are two requests", async () => {
    answer = [later, later];
    const both = [reactions.react(plain, "👍", true), reactions.react(plain, "🎉", true)];
    expect([asked.length, Object.keys(wishes() ?? {})]).toEqual([2, ["👍", "🎉"]]);
    for (const go of let_go) go();
    await Promise.all(both);
    expect(wishes()).toBeUndefined();
  });

  it("tells who did, me last", async () => {
    expect(await reactions.who(liked)).toEqual({ "👍": ["Grace", "you"], "🎉": ["Grace"] });
  });
});

describe("names in words", () => {
  const many = Array.from({ length: 12 }, (_, number) => `P${number}`);

  it.each([
    [["you"], 1, "You"],
    [["Ada", "you"], 2, "Ada and you"],
    [["Ada", "Grace", "you"], 3, "Ada, Grace and you"],
    [many.slice(0, 9), 9, "P0, P1, P2, P3, P4, P5, P6, P7 and P8"],
    [many, 12, "P0, P1, P2, P3, P4, P5, P6, P7 and 4 others"],
    [many, 300, "P0, P1, P2, P3, P4, P5, P6, P7 and 292 others"],
    [["Ada"], 2, "Ada and 1 other"],
    [[], 0, ""],
  ])("%j of %d", (names, count, words) => expect(inWords(names, count)).toBe(words));
});
