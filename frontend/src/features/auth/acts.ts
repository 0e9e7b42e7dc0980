import type { Ask } from "@/types/protocol";

/** What a person does keeps the session alive, so the warning of its end is out of date. */
export const asActs = (ask: Ask, slid: () => void): Ask => async (event, payload) => {
  const answer = await ask(event, payload);
  slid();
  return answer;
};
