import type { Names } from "@/features/messages/log/names";
import type { Entry } from "@/types/protocol";
import styles from "@/features/messages/message/Message.module.css";

const sentence = ({ kind, name, user, by }: Entry, names: Names): string => {
  const who = name ?? (user ? names.of(user) : "Somebody");
  if (kind === "joined") return by && by !== user ? `${who} was invited by ${names.of(by)}.` : `${who} joined.`;
  if (kind === "left") return `${who} left.`;
  if (kind === "removed") return `${who} was removed.`;
  return `The room is called ${name} now.`;
};

export function RoomNote({ entry, names }: { entry: Entry; names: Names }) {
  return <p className={styles.note}>{sentence(entry, names)}</p>;
}
