import { createStore } from "@/lib/store";

export type Theme = "system" | "light" | "dark";

const KEY = "parley.theme";
export const theme = createStore<Theme>("system");

/** Reads the remembered choice and keeps the document and the memory in step with it. */
export function startTheme() {
  let remembered: string | null = null;
  try {
    remembered = localStorage.getItem(KEY);
  } catch {
    // No storage: the system's choice stands.
  }
  theme.subscribe(show);
  if (remembered === "light" || remembered === "dark") theme.set(remembered);
}

function show() {
  const chosen = theme.get();
  if (chosen === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
  try {
    localStorage.setItem(KEY, chosen);
  } catch {
    // Not remembered, then.
  }
}

export const isDark = (): boolean =>
  theme.get() === "dark" || (theme.get() === "system" && matchMedia("(prefers-color-scheme: dark)").matches);

export const toggleTheme = (): void => theme.set(isDark() ? "light" : "dark");
