import { useValue } from "@/lib/store";
import { typingSentence, type Typing } from "./typing";
import styles from "./TypingLine.module.css";

export function TypingLine({ typing, room }: { typing: Typing; room: string }) {
  const names = [...(useValue(typing.people).get(room)?.values() ?? [])];
  return <p className={styles.line}>{typingSentence(names)}</p>;
}
