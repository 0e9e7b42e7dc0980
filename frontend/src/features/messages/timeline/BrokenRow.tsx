import { timeOfDay } from "@/lib/dates";
import styles from "@/features/messages/message/Message.module.css";
import { t } from "@/lib/language";

/** Instead of a row that cannot be shown: it is there, and when it was said. Itself it can always be shown. */
export function BrokenRow({ at_ms }: { at_ms: number | undefined }) {
  return (
    <article className={styles.message} tabIndex={-1}>
      <div className={styles.gutter} />
      <p className={styles.gone}>{t("This message can’t be shown.")}{isTime(at_ms) && ` ${timeOfDay(at_ms)}`}</p>
    </article>
  );
}

const isTime = (at_ms: number | undefined): at_ms is number => !Number.isNaN(new Date(at_ms ?? Number.NaN).getTime());
