import { useCallback, useEffect, useState, type ReactNode } from "react";

const STAYS_MS = 4_000;

/**
 * A short word for a moment, for a `role="status"` that is there before it: each time another element, or it is read
 * out once only.
 */
export function useWord(): [ReactNode, (text: string) => void] {
  const [word, setWord] = useState<{ text: string; number: number } | null>(null);
  useEffect(() => {
    if (!word) return;
    const timer = setTimeout(() => setWord(null), STAYS_MS);
    return () => clearTimeout(timer);
  }, [word]);
  const say = useCallback((text: string) => setWord((last) => ({ text, number: (last?.number ?? 0) + 1 })), []);
  return [word && <span key={word.number}>{word.text}</span>, say];
}
