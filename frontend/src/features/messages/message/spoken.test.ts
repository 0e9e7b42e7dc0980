import { expect, it } from "vitest";
import { timeOfDay } from "@/lib/dates";
import { message } from "@/testing/messages";
import { spoken } from "./spoken";

const grace = { ...message(7), name: "Grace", text: "Hello there", created_at_ms: 1_790_000_000_000 };
const at = timeOfDay(grace.created_at_ms);

it("a message is heard as it is seen: author, time, text, state, reactions", () => {
  const reacted = [{ emoji: "👍", count: 3, mine: true }, { emoji: "🎉", count: 1, mine: false }];
  expect(spoken({ ...grace, text: "Hello there.", edited_at_ms: 1 }, reacted)).toBe(
    `Grace, ${at}. Hello there. Edited. Reactions: 👍 3, yours too, 🎉 1`,
  );
  expect(spoken({ ...grace, reply_to: 3 }, [], { ...message(3), name: "Ada", text: "Anybody?" })).toBe(
    `Grace, ${at}, to Ada: Anybody? Hello there`,
  );
});

it("a deleted one has no words left", () => {
  expect(spoken({ ...grace, text: "", deleted: true }, [])).toBe(`Grace, ${at}. This message was deleted.`);
});
