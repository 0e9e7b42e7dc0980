import { Named, named } from "@/components/ui/Named";
import { useValue } from "@/lib/store";
import { typingSentence, type Typing } from "./typing";
import styles from "./TypingLine.module.css";

export function TypingLine({ typing, room }: { typing: Typing; room: string }) {
  const names = [...(useValue(typing.people).get(room)?.values() ?? [])].map(named);
  return <p className={styles.line}><Named text={typingSentence(names)} /></p>;
}
