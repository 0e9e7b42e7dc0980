import { Button } from "@/components/ui/Button";
import { Question } from "@/components/ui/Question";
import { useTrouble } from "@/lib/trouble";
import styles from "./Message.module.css";

/** Asks before a message goes. What hinders it is said in the place of the question, which stays. */
export default function DeleteQuestion({ remove, close }: { remove(): Promise<void>; close(): void }) {
  const { said, report } = useTrouble();
  const go = () => remove().then(close, report);
  return (
    <Question label="Delete this message?" className={styles.confirm} no={close}>
      <span role={said ? "alert" : undefined}>{said || "Delete this message for everybody?"}</span>
      <Button small look="alarm" onClick={() => void go()}>Delete it</Button>
      <Button small onClick={close}>Keep it</Button>
    </Question>
  );
}
