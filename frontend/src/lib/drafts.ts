/**
 * What somebody has typed and not sent, per user and room. Survives a reload; wiped at logout. No user's name has a
 * `/`.
 */
const key = (user: string, room: string) => `parley.draft/${user}/${room}`;
/** Where earlier versions kept it: a name may have dots, as `a` and `a.b`, a room's id that was typed has none. */
const formerKey = (user: string, room: string) => `parley.draft.${user}.${room}`;

export function readDraft(user: string, room: string): string {
  return attempt(() => localStorage.getItem(key(user, room)) ?? localStorage.getItem(formerKey(user, room))) ?? "";
}

export function writeDraft(user: string, room: string, text: string): void {
  attempt(() => {
    localStorage.removeItem(formerKey(user, room));
    if (text) localStorage.setItem(key(user, room), text);
    else localStorage.removeItem(key(user, room));
  });
}

export function wipeDrafts(user: string): void {
  attempt(() => {
    const former = formerKey(user, "");
    const isTheirs = (name: string) =>
      name.startsWith(key(user, "")) || (name.startsWith(former) && !name.includes(".", former.length));
    for (const name of Object.keys(localStorage).filter(isTheirs)) localStorage.removeItem(name);
  });
}

/** The browser may refuse storage (private windows, full disks); a draft then lives as long as the page. */
function attempt<T>(act: () => T): T | null {
  try {
    return act();
  } catch {
    return null;
  }
}
