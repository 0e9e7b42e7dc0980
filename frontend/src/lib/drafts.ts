/** What somebody has typed and not sent, per user and room. Survives a reload; wiped at logout. */
const key = (user: string, room: string) => `parley.draft.${user}.${room}`;

export function readDraft(user: string, room: string): string {
  return attempt(() => localStorage.getItem(key(user, room))) ?? "";
}

export function writeDraft(user: string, room: string, text: string): void {
  attempt(() => (text ? localStorage.setItem(key(user, room), text) : localStorage.removeItem(key(user, room))));
}

export function wipeDrafts(user: string): void {
  attempt(() => {
    for (const name of Object.keys(localStorage)) if (name.startsWith(key(user, ""))) localStorage.removeItem(name);
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
