import type { Clock } from "@/lib/clock";
import { t } from "@/lib/language";
import { createStore } from "@/lib/store";
import type { Ask, ServerEvents } from "@/types/protocol";

export type Typing = ReturnType<typeof createTyping>;

const FORGET_AFTER_MS = 6_000;
const TELL_EVERY_MS = 3_000;

/** Room → username → name. */
type TypingPeople = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** Who is typing where; and telling the others that I am. Volatile in both directions. */
export function createTyping({ user, ask, clock }: { user: string; ask: Ask; clock: Clock }) {
  const people = createStore<TypingPeople>(new Map());
  const timers = new Map<string, () => void>();
  let told: { room: string; at_ms: number } | null = null;

  function forget(room: string, who: string) {
    timers.get(`${room} ${who}`)?.();
    timers.delete(`${room} ${who}`);
    const others = new Map(people.get().get(room));
    if (others.delete(who)) people.set((all) => new Map(all).set(room, others));
  }

  return {
    people,
    heard({ room, user: who, name, typing }: ServerEvents["typing"]) {
      forget(room, who);
      if (!typing || who === user) return;
      people.set((all) => new Map(all).set(room, new Map(all.get(room)).set(who, name)));
      timers.set(`${room} ${who}`, clock.after(FORGET_AFTER_MS, () => forget(room, who)));
    },
    /** A message of somebody is the end of their typing. */
    forget,
    typed(room: string) {
      const now = clock.now_ms();
      if (told?.room === room && now - told.at_ms < TELL_EVERY_MS) return;
      told = { room, at_ms: now };
      ask("typing:start", { room }).catch(() => (told = null));
    },
    stopped(room: string) {
      if (told?.room !== room) return;
      told = null;
      ask("typing:stop", { room }).catch(() => {});
    },
    dispose() {
      for (const cancel of timers.values()) cancel();
    },
  };
}

/** "Ada is typing", "Ada and Grace are typing", "Ada, Grace and 2 others are typing". */
export function typingSentence(names: readonly string[]): string {
  const [first, second, ...others] = names;
  if (!first) return "";
  if (!second) return t("{first} is typing", { first });
  if (others.length === 0) return t("{first} and {second} are typing", { first, second });
  return t("{first}, {second} and {count, plural, one {# other} other {# others}} are typing", {
    first, second, count: others.length,
  });
}
