import { Named, named } from "@/components/ui/Named";
import type { Names } from "@/features/messages/log/names";
import type { Entry } from "@/types/protocol";
import styles from "@/features/messages/message/Message.module.css";
import { t } from "@/lib/language";

const sentence = ({ kind, name, user, by, successor }: Entry, names: Names): string => {
  const who = name || user ? named(name ?? names.of(user ?? "")) : t("Somebody");
  if (kind === "joined") {
    return by && by !== user
      ? t("{name} was invited by {by}.", { name: who, by: named(names.of(by)) })
      : t("{name} joined.", { name: who });
  }
  if (kind === "left") {
    const next = successor ? ` ${t("{name} owns this room now.", { name: named(names.of(successor)) })}` : "";
    return t("{name} left.", { name: who }) + next;
  }
  if (kind === "removed") return t("{name} was removed.", { name: who });
  return t("The room is called {name} now.", { name: named(name ?? "") });
};

export function RoomNote({ entry, names }: { entry: Entry; names: Names }) {
  return <p className={styles.note}><Named text={sentence(entry, names)} /></p>;
}
