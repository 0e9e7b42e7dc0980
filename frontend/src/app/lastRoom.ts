/** The room a person had open last, so that `/` leads back to it. */
const key = (user: string) => `parley.room.${user}`;

export function rememberRoom(user: string, room: string): void {
  try {
    localStorage.setItem(key(user), room);
  } catch {
    // The next visit then starts in general.
  }
}

export function lastRoom(user: string): string | null {
  try {
    return localStorage.getItem(key(user));
  } catch {
    return null;
  }
}
