import { beforeEach, describe, expect, it } from "vitest";
import { readDraft, wipeDrafts, writeDraft } from "./drafts";

describe("drafts", () => {
  beforeEach(() => localStorage.clear());

  it("are wiped of one person, and of nobody whose name begins alike", () => {
    for (const user of ["a", "a.b", "a-b", "a.b.c"]) writeDraft(user, "general", `of ${user}`);
    writeDraft("a", "made.by.a.program", "mine");
    wipeDrafts("a");
    expect(["a", "a.b", "a-b", "a.b.c"].map((user) => readDraft(user, "general"))).toEqual([
      "",
      "of a.b",
      "of a-b",
      "of a.b.c",
    ]);
    expect(readDraft("a", "made.by.a.program")).toBe("");
  });

  it("of one person in one room are not of another in another", () => {
    writeDraft("a", "b.c", "of a");
    writeDraft("a.b", "c", "of a.b");
    expect([readDraft("a", "b.c"), readDraft("a.b", "c")]).toEqual(["of a", "of a.b"]);
  });

  it("that an earlier version kept are read, give way to what is typed now, and are wiped", () => {
    for (const user of ["a", "a.b"]) localStorage.setItem(`parley.draft.${user}.general`, `of ${user}`);
    expect(readDraft("a", "general")).toBe("of a");
    writeDraft("a", "general", "newer");
    expect(readDraft("a", "general")).toBe("newer");
    writeDraft("a", "general", "");
    expect(readDraft("a", "general")).toBe("");
    localStorage.setItem("parley.draft.a.general", "of a");
    wipeDrafts("a");
    expect([readDraft("a", "general"), readDraft("a.b", "general")]).toEqual(["", "of a.b"]);
  });
});
