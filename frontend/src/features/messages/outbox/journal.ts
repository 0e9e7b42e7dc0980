/**
 * Messages between Enter and the disk: IndexedDB takes a moment, and a page may end in it. localStorage takes one
 * before the draft is given up, in the same turn, so that a message is never in both places to be sent twice, nor in
 * neither.
 */
import type { Waiting } from "./disk";

const PREFIX = "parley.outgoing/";
const key = (user: string, client_id: string) => `${PREFIX}${user}/${client_id}`;

/**
 * Whether it is written: a browser that refuses (private windows, full disks) leaves the message to IndexedDB alone.
 */
export function writeJournal(item: Waiting): boolean {
  try {
    localStorage.setItem(key(item.user, item.client_id), JSON.stringify(item));
    return true;
  } catch {
    return false;
  }
}

export function readJournal(user: string): Waiting[] {
  return keysOf(user).flatMap((name) => {
    try {
      return [JSON.parse(localStorage.getItem(name) ?? "") as Waiting];
    } catch {
      return []; // another tab was quicker
    }
  });
}

export function eraseJournal(user: string, client_id: string): void {
  try {
    localStorage.removeItem(key(user, client_id));
  } catch {
    // There is none.
  }
}

export function wipeJournal(user: string): void {
  for (const name of keysOf(user)) localStorage.removeItem(name);
}

function keysOf(user: string): string[] {
  try {
    return Object.keys(localStorage).filter((name) => name.startsWith(key(user, "")));
  } catch {
    return [];
  }
}
