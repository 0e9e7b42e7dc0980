// @vitest-environment node
import { join } from "node:path";
import { ESLint } from "eslint";
import { expect, it } from "vitest";

const eslint = new ESLint({ cwd: join(import.meta.dirname, "..") });

/** What is said of an import in that file: nothing where it may stand. */
async function saidOf(file, imported) {
  const [result] = await eslint.lintText(`import "${imported}";\n`, { filePath: `src/${file}` });
  return result.messages.map(({ message }) => message.replace(/^.*pattern\. /, ""));
}

const NOUN = "Log and outbox know nothing of the rest of messages; bring them together in timeline.";
const FEATURE = "Features do not import each other; bring them together in src/app.";

it.each([
  ["features/messages/log/log.ts", "@/features/messages/outbox/outbox", NOUN],
  ["features/messages/log/log.ts", "@/features/messages/timeline/timeline", NOUN],
  ["features/messages/outbox/outbox.ts", "@/features/messages/log/log", NOUN],
  ["features/messages/outbox/outbox.ts", "@/features/messages/message/text", NOUN],
  ["features/messages/message/SentMessage.tsx", "@/features/messages/log/log", NOUN],
  ["features/messages/reactions/ReactionRow.tsx", "@/features/messages/message/handlers", NOUN],
  ["features/messages/timeline/Timeline.tsx", "@/features/messages/composer/Composer", NOUN],
  ["features/messages/timeline/Timeline.tsx", "@/features/rooms/rooms", FEATURE],
  [
    "features/messages/log/log.ts",
    "../outbox/outbox",
    "Leave the folder by '@/…', so that the walls between features can be seen.",
  ],
  ["features/messages/outbox/outbox.ts", "@/app/client", "A feature does not know the app."],
  ["features/rooms/rooms.ts", "@/features/messages/log/log", FEATURE],
  ["lib/store.ts", "@/features/messages/log/log", "Imports point inwards."],
])("%s may not import %s", async (file, imported, said) => expect(await saidOf(file, imported)).toEqual([said]));

it.each([
  ["features/messages/timeline/Timeline.tsx", "@/features/messages/log/log"],
  ["features/messages/timeline/Timeline.tsx", "@/features/messages/outbox/outbox"],
  ["features/messages/log/log.ts", "@/lib/clock"],
  ["features/messages/log/log.ts", "./followers"],
  ["app/client.ts", "@/features/messages/outbox/outbox"],
])("%s may import %s", async (file, imported) => expect(await saidOf(file, imported)).toEqual([]));

it("a line may have 120 columns, and no more", async () => {
  const of = async (columns) => {
    const [result] = await eslint.lintText(`void "${"x".repeat(columns - 8)}";\n`, { filePath: "src/lib/store.ts" });
    return result.messages.map(({ ruleId }) => ruleId);
  };
  expect([await of(120), await of(121)]).toEqual([[], ["max-len"]]);
});
