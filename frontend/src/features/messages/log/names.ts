import type { Entry, Message, Page, User } from "@/types/protocol";

export type Names = ReturnType<typeof createNames>;

/** What people are called, of whom this page has heard: an entry names who did it by their key alone. */
export function createNames() {
  const names = new Map<string, string>();
  const met = ({ username, name }: User) => void names.set(username, name);
  const said = ({ author, name }: Message) => met({ username: author, name });
  const entered = ({ user, name }: Pick<Entry, "user" | "name">) => void (user && name && names.set(user, name));
  return {
    met,
    said,
    entered,
    page({ messages, entries }: Page) {
      messages.forEach(said);
      entries.forEach(entered);
    },
    /** Their name, or their key where nothing else is known. */
    of: (username: string): string => names.get(username) ?? username,
  };
}
