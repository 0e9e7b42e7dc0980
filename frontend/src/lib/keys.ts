import { t } from "./language";

/**
 * Whether an input method has this key. Where the composition ends before its Enter is told (Safari), that one says no
 * more that it composes, and has the number of a key that went there.
 */
export const isComposing = ({ isComposing, keyCode }: Pick<KeyboardEvent, "isComposing" | "keyCode">): boolean =>
  isComposing || keyCode === 229;

/** Apple's keyboards have another key where others have Ctrl. */
export const isApple = /^(Mac|iP)/.test(navigator.platform);

/** What to press, as the keyboard has it. */
export const withCtrl = (key: string): string => (isApple ? `⌘${key}` : `${t("Ctrl")} ${key}`);

/** The key; on a layout of another script than Latin, what a Latin one has at its place. */
export function latin({ key, code, shiftKey }: Pick<KeyboardEvent, "key" | "code" | "shiftKey">): string {
  if (/^[\0-\x7f\p{Script=Latin}]/u.test(key)) return key;
  if (code === "Slash") return shiftKey ? "?" : "/";
  return /^Key(.)$/.exec(code)?.[1]?.toLowerCase() ?? key;
}
