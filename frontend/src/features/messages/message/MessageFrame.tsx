import type { HTMLAttributes, ReactNode, Ref } from "react";
import { Monogram } from "@/components/ui/Monogram";
import { dayName } from "@/lib/dates";
import { t } from "@/lib/language";
import styles from "./Message.module.css";

interface Props extends HTMLAttributes<HTMLElement> {
  author: string;
  name: string;
  startsGroup: boolean;
  /** The time that is the permalink and the receipt; nothing until there is one. */
  time: ReactNode;
  children: ReactNode;
  highlighted?: boolean;
  /** Put into the table by a script; no person of this chat said it. */
  byTable?: boolean;
  ref?: Ref<HTMLElement>;
}

/** Author, time and room for what was said: the same for a message and for one on its way. */
export function MessageFrame({
  author, name, startsGroup, time, children, highlighted = false, byTable = false, ...rest
}: Props) {
  const classes = `${styles.message} ${startsGroup ? styles.startsGroup : ""} ${highlighted ? styles.highlighted : ""}`;
  return (
    <article {...rest} className={classes}>
      <div className={styles.gutter}>{startsGroup ? <Monogram username={author} name={name} /> : time}</div>
      <div className={styles.content}>
        {startsGroup && (
          <p className={styles.heading}>
            <strong>{name}</strong>
            {byTable && (
              <span className={styles.origin} title={t("Put into the table by a script, not by a person of this chat")}>
                {t("table")}
              </span>
            )}
            {time}
          </p>
        )}
        {children}
      </div>
    </article>
  );
}

export function DayLine({ at_ms, now_ms }: { at_ms: number; now_ms: number }) {
  return (
    <div className={styles.day} role="separator">
      <time dateTime={new Date(at_ms).toISOString().slice(0, 10)}>{dayName(at_ms, now_ms)}</time>
    </div>
  );
}

export function NewLine() {
  return (
    <div className={styles.firstUnread} role="separator">
      <span>{t("new")}</span>
    </div>
  );
}
