import { Button } from "@/components/ui/Button";
import { Question } from "@/components/ui/Question";
import { t } from "@/lib/language";
import { useTrouble } from "@/lib/trouble";
import styles from "./Message.module.css";

/** Asks before a message goes. What hinders it is said in the place of the question, which stays. */
export default function DeleteQuestion({ remove, close }: { remove(): Promise<void>; close(): void }) {
  const { said, report } = useTrouble();
  const go = () => remove().then(close, report);
  return (
    <Question label={t("Delete this message?")} className={styles.confirm} no={close}>
      <span role={said ? "alert" : undefined}>{said || t("Delete this message for everybody?")}</span>
      <Button small look="alarm" onClick={() => void go()}>{t("Delete it")}</Button>
      <Button small onClick={close}>{t("Keep it")}</Button>
    </Question>
  );
}
