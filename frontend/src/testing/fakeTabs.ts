import { createStore } from "@/lib/store";
import type { Tabs } from "@/lib/tabs";

/** Tabs of one person that share a disk: a word of one is heard by the others. */
export function fakeTabs() {
  const listeners: { tab: Tabs; listener: () => void }[] = [];
  const checked: string[] = [];
  return {
    /** What a tab that does not lead asked the one that does. */
    checked,
    open(leads = true): Tabs {
      const tab: Tabs = {
        leading: createStore(leads),
        lead: () => tab.leading.set(true),
        release: () => tab.leading.set(false),
        announce: () => listeners.filter((other) => other.tab !== tab).forEach(({ listener }) => listener()),
        heard: (listener) => void listeners.push({ tab, listener }),
        check: (id) => void checked.push(id),
        answer: () => {},
        close: () => {},
      };
      return tab;
    },
  };
}
