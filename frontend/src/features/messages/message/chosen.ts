import { createStore } from "@/lib/store";

/** The message that a finger has touched: it shows what can be done with it. */
export const chosen = createStore<string | null>(null);
