import { beforeEach, describe, expect, it } from "vitest";
import {
  draftedRooms, readDraft, readEdit, readReply, wipeDrafts, writeDraft, writeEdit, writeReply,
} from "./drafts";

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

describe("what is not sent", () => {
  it("is known by room: a text or an edit, not whom somebody was about to answer", () => {
    writeDraft("ada", "made/with/slashes", "kept from an earlier page");
    localStorage.setItem("parley.draft.ada.old", "kept by an earlier version");
    const rooms = draftedRooms("ada");
    expect([...rooms.get()].sort()).toEqual(["made/with/slashes", "old"]);
    writeDraft("ada", "old", "");
    writeDraft("ada", "made/with/slashes", "");
    writeReply("ada", "general", { seq: 3, name: "Grace", text: "lunch?" });
    expect(rooms.get().size).toBe(0);
    writeEdit("ada", "general", { seq: 4, text: "better" });
    expect([...rooms.get()]).toEqual(["general"]);
    const before = rooms.get();
    writeDraft("ada", "general", "more");
    writeDraft("grace", "design", "hers");
    expect(rooms.get()).toBe(before);
    localStorage.setItem("parley.draft/ada/design", "typed in another tab");
    dispatchEvent(new StorageEvent("storage"));
    expect([...rooms.get()].sort()).toEqual(["design", "general"]);
    expect([readEdit("ada", "general")?.seq, readReply("ada", "general")?.name]).toEqual([4, "Grace"]);
    wipeDrafts("ada");
    expect([rooms.get().size, readEdit("ada", "general"), readReply("ada", "general")]).toEqual([0, null, null]);
    expect(readDraft("grace", "design")).toBe("hers");
  });
});
