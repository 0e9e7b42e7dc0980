import type { Http } from "@/lib/http";
import { isReached } from "@/lib/trouble";
import type { Ask, Page } from "@/types/protocol";
import type { FetchPage } from "./followers";

interface Needs {
  base: string;
  http: Http;
  ask: Ask;
  /** Hears of each page before whoever asked for it. */
  told(page: Page): void;
}

/** The pages of rooms' logs: `ask` by socket, `fetchPage` by HTTP. What their messages answer is among them. */
export function createPages({ base, http, ask, told: tell }: Needs): { ask: Ask; fetchPage: FetchPage } {
  function told(page: Page) {
    page.messages.push(...(page.quotes ?? []));
    tell(page);
  }
  return {
    async ask(event, payload) {
      const answer = await ask(event, payload);
      if (event === "room:open") told(answer as Page);
      return answer;
    },
    async fetchPage(room, place) {
      const query = new URLSearchParams({ limit: "100" });
      for (const [key, value] of Object.entries(place)) query.set(key, String(value));
      if ("before" in place) query.set("sparse", "1");
      const page = await http<Page>("GET", `${base}/api/rooms/${encodeURIComponent(room)}/messages?${query}`);
      told(page);
      isReached();
      return page;
    },
  };
}
