/** A lived-in chat, to look at. */
import type { FakeChat } from "./fakeChat.ts";

const TALK: [who: string, text: string, minutes: number][] = [
  ["grace", "Morning! The new boards came back from the printer.", 0],
  ["grace", "They look wonderful, the dark green especially. Photos this afternoon.", 1],
  ["linus", "Great. Are we still shipping the release today?", 4],
  ["ada", "Yes, after the review. Notes are here: https://example.org/notes/2026-11 (two pages, short).", 9],
  ["linus", "🎉🎉", 10],
  [
    "grace", "I would rather wait for the second test run:\n\n" +
      "1. it takes ten minutes\n2. it caught us last time\n3. nobody is in a hurry", 12,
  ],
  ["ada", "Fair.", 13],
  ["ada", "Then after lunch.", 13],
  ["linus", "👍", 30],
  [
    "grace", "By the way: https://en.wikipedia.org/wiki/Parley_(disambiguation), and a_very_long_unbroken_identifier_" +
      "that_nobody_could_ever_want_to_read_to_the_end_of_because_it_goes_on_and_on", 95,
  ],
  ["linus", "Lunch at half past twelve? The place at the corner has soup again.", 96],
  ["grace", "I am in", 97],
];

export function fill(chat: FakeChat): void {
  for (const name of ["Ada", "Grace", "Linus", "Margaret"]) chat.register(name, "correct horse");
  const design = chat.makeRoom("design", "Design", "public", "grace");
  const launch = chat.makeRoom("q7x", "Launch", "private", "ada");
  chat.makeRoom("books", "Book club", "public", "margaret");
  for (const name of ["ada", "linus"]) design.members.add(name);
  launch.members.add("grace");

  const start_ms = Date.now() - 100 * 60_000;
  const real = chat.now_ms;
  let number = 0;
  const say = (who: string, room: string, text: string, at_ms: number, reply_to?: number) => {
    chat.now_ms = () => at_ms;
    return chat.send(who, { room, text, client_id: `seed-${(number += 1)}`, reply_to });
  };
  const people = ["ada", "grace", "linus"];
  for (let day = 6; day >= 1; day -= 1) {
    for (let n = 0; n < 50; n += 1) {
      const at_ms = start_ms - day * 86_400_000 + n * 7 * 60_000;
      say(people[(n * 7 + day) % 3] ?? "ada", "general", OLD[(n + day * 3) % OLD.length] ?? "…", at_ms);
    }
  }
  for (const [who, text, minutes] of TALK) say(who, "general", text, start_ms + minutes * 60_000);
  const room = chat.rooms.get("general");
  const last = room?.log.length ?? 0;
  chat.now_ms = () => start_ms + 98 * 60_000;
  chat.change("ada", { room: "general", seq: last - 4, text: "Then after lunch, at two." });
  chat.change("linus", { room: "general", seq: last - 7 });
  say("grace", "general", "Which one, the soup or the queue?", start_ms + 99 * 60_000, last - 1);
  say("linus", "general", "Both, as ever.", start_ms + 99.2 * 60_000);
  for (const [who, emoji] of [
    ["grace", "🎉"],
    ["linus", "🎉"],
    ["ada", "👀"],
  ] as const)
    chat.react(who, { room: "general", seq: last - 10, emoji }, true);
  room?.read.set("ada", room.log.length);
  for (let n = 0; n < 4; n += 1) say("grace", "design", `Sketch ${n + 1} is up.`, start_ms + n * 60_000);
  say("grace", "q7x", "Only us here so far.", start_ms);
  launch.read.set("ada", 1);
  chat.now_ms = real;
}

const OLD = [
  "Does anybody have the address of the workshop?",
  "Yes: second door on the left, then up the stairs.",
  "Thank you!",
  "The backup ran through in four minutes. That is half of what it was.",
  "I moved the meeting to Thursday, so that Margaret can come too.",
  "Good idea.",
  "The new customer asked whether we can read their old archive. I said yes, within reason: plain text and dates are " +
    "fine, pictures are another matter, and what is encrypted stays encrypted.",
  "Fine by me",
  "Reading it now",
  "There is cake in the kitchen.",
  "🍰",
];
