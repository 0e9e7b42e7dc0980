import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { inWords } from "@/features/messages/reactions/words";
import { typingSentence } from "@/features/presence/typing";
import { dayName, timeOfDay } from "@/lib/dates";
import { Failure, offline } from "@/lib/failure";
import { choose, inDigits, known, language, speak, startLanguage, t, wanted } from "@/lib/language";
import { formatted } from "@/lib/sentences";

const browserSpeaks = (...tags: string[]) => vi.spyOn(navigator, "languages", "get").mockReturnValue(tags);

beforeEach(() => browserSpeaks("en-GB", "en"));
afterEach(() => speak("en"));

describe("which language it is", () => {
  it.each([
    [["de-AT", "en"], "de"],
    [["fr", "de", "en"], "de"],
    [["en-US", "de"], "en"],
    [["fr"], "en"],
    [["constructor"], "en"],
    [[], "en"],
  ])("a browser of %j gets %s", (tags, tongue) => expect(wanted(tags)).toBe(tongue));

  it("is the browser's at first, and says so to the document", async () => {
    browserSpeaks("de-DE", "en");
    await startLanguage();
    expect([language.get(), document.documentElement.lang, t("Sign in")]).toEqual(["de", "de", "Anmelden"]);
  });

  it("is the one that was chosen here, from then on", async () => {
    browserSpeaks("de-DE");
    await choose("en");
    await startLanguage();
    expect([language.get(), document.documentElement.lang]).toEqual(["en", "en"]);
    await choose("de");
    await speak("en");
    await startLanguage();
    expect(language.get()).toBe("de");
  });

  it("is the browser's where what was kept is none", async () => {
    localStorage.setItem("parley.language", "toString");
    await startLanguage();
    expect(language.get()).toBe("en");
  });
});

describe("what is said", () => {
  const said = () => ({
    one: t("Until you have stayed away for {days, plural, one {a day} other {# days}}.", { days: 1 }),
    many: t("Until you have stayed away for {days, plural, one {a day} other {# days}}.", { days: 1_000 }),
    typing: typingSentence(["Ada", "Grace", "Linus"]),
    crowd: typingSentence(["Ada", "Grace", "Linus", "Margaret"]),
    who: inWords(["Ada", "Grace"], 2),
    others: inWords(["Ada", "B", "C", "D", "E", "F", "G", "H", "I"], 12),
    removed: t("You were removed from {room} by {name}.", { room: "Design", name: "Ben" }),
  });

  it("has its plurals and its values, in English", () =>
    expect(said()).toEqual({
      one: "Until you have stayed away for a day.",
      many: "Until you have stayed away for 1,000 days.",
      typing: "Ada, Grace and 1 other are typing",
      crowd: "Ada, Grace and 2 others are typing",
      who: "Ada and Grace",
      others: "Ada, B, C, D, E, F, G, H and 4 others",
      removed: "You were removed from Design by Ben.",
    }));

  it("and in German", async () => {
    await speak("de");
    expect(said()).toEqual({
      one: "Bis du einen Tag lang weg warst.",
      many: "Bis du 1.000 Tage lang weg warst.",
      typing: "Ada, Grace und 1 weitere Person schreiben",
      crowd: "Ada, Grace und 2 weitere schreiben",
      who: "Ada und Grace",
      others: "Ada, B, C, D, E, F, G, H und 4 weitere",
      removed: "Ben hat dich aus Design entfernt.",
    });
  });

  it("leaves what people are called as it is", () => {
    const name = String.raw`{room} \u0041 #`;
    expect(t("{name} left.", { name })).toBe(`${name} left.`);
    const plural = { other: [["name"] as [string], " ", "#"] };
    expect(formatted([["n", "plural", plural], "#"], "en", { n: 2, name })).toBe(`${name} 2#`);
  });

  it("has what one would have to say for just this number, first", () => {
    const plural = { 0: "none", one: "one", other: ["#"] };
    expect([0, 1, 7].map((n) => formatted([["n", "plural", plural]], "en", { n }))).toEqual(["none", "one", "7"]);
  });
});

describe("times and numbers", () => {
  const evening = new Date(2026, 2, 3, 18, 5).getTime();
  const later = new Date(2026, 5, 1).getTime();

  it("are written as in the page's language", async () => {
    await speak("de");
    expect(timeOfDay(evening)).toBe("18:05");
    expect(dayName(evening, later)).toBe("Dienstag, 3. März");
    expect(dayName(evening, evening + 86_400_000)).toBe("Gestern");
    expect(inDigits(4_000)).toBe("4.000");
  });

  it("and as where the browser is at home", async () => {
    expect(timeOfDay(evening)).toBe("18:05");
    browserSpeaks("en-US", "en");
    expect(timeOfDay(evening)).toMatch(/^6:05\sPM$/);
    expect(dayName(evening, later)).toBe("Tuesday, March 3");
  });
});

describe("a refusal", () => {
  const refused = (code: string, message: string, retry_after_s?: number) =>
    new Failure({ code, message, retry: true, retry_after_s }).message;

  it("is the server's own in English", () => {
    expect(refused("user_not_found", "There is nobody with that name.")).toBe("There is nobody with that name.");
    expect(known("refusal.user_not_found")).toBeUndefined();
  });

  it("is said by its code in another language", async () => {
    await speak("de");
    expect(refused("user_not_found", "There is nobody with that name.")).toBe("So heißt hier niemand.");
    expect(refused("busy", "The server is busy. Please try again in a moment.", 61)).toBe(
      "Der Server ist ausgelastet. Versuch es in 2 Minuten noch einmal.",
    );
    expect(offline().message).toMatch(/^Der Server ist nicht erreichbar/);
  });

  it("of a kind that the page does not know is the server's own", async () => {
    await speak("de");
    expect(refused("of_later", "That is for later.")).toBe("That is for later.");
    expect(refused("constructor", "That is for later.")).toBe("That is for later.");
  });

  it("keeps the number that is to be quoted", async () => {
    const message = "Something went wrong on the server (incident 00c0ffee).";
    expect(refused("internal", message)).toBe(message);
    await speak("de");
    expect(refused("internal", message)).toBe("Auf dem Server ist etwas schiefgegangen (Vorfall 00c0ffee).");
  });

  it("keeps the address that is to be used", async () => {
    const message = "This chat does not answer here. Please open it at https://chat.example.org instead.";
    expect(refused("origin_refused", message)).toBe(message);
    await speak("de");
    expect(refused("origin_refused", message))
      .toBe("Hier antwortet dieser Chat nicht. Bitte öffne ihn unter https://chat.example.org.");
  });
});
