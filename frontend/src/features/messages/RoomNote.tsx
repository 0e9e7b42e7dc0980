import type { Entry } from "@/types/protocol";
import styles from "./Message.module.css";

const sentence = ({ kind, name, user, by }: Entry): string => {
  const who = name ?? user ?? "Somebody";
  if (kind === "joined") return by && by !== user ? `${who} was invited by ${by}.` : `${who} joined.`;
  if (kind === "left") return `${who} left.`;
  if (kind === "removed") return `${who} was removed.`;
  return `The room is called ${name} now.`;
};

export function RoomNote({ entry }: { entry: Entry }) {
  return <p className={styles.note}>{sentence(entry)}</p>;
}
