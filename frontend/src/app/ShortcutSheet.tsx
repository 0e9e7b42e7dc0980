import { Dialog } from "@/components/ui/Dialog";
import { isApple } from "@/lib/keys";
import { sentence, t } from "@/lib/language";
import styles from "./ShortcutSheet.module.css";

const CTRL = isApple ? "⌘" : sentence("Ctrl");
const KEYS: [keys: string[], does: string][] = [
  [[CTRL, "K"], sentence("Go to any room")],
  [[CTRL, "/"], sentence("This sheet; outside of fields ? too")],
  [[sentence("Enter")], sentence("Send")],
  [[sentence("Shift"), sentence("Enter")], sentence("New line")],
  [["↑"], sentence("Edit your last message (empty field)")],
  [[sentence("Esc")], sentence("Back to the message field, close what is open")],
  [[sentence("Tab")], sentence("On to the messages, the rooms, the buttons")],
  [["↑", "↓"], sentence("From message to message")],
  [["R"], sentence("Reply to the message")],
  [["+"], sentence("React to the message")],
  [["E"], sentence("Edit the message")],
  [["C"], sentence("Copy the message's link")],
  [[sentence("Delete")], sentence("Delete the message")],
];

export default function ShortcutSheet({ onClose }: { onClose(): void }) {
  return (
    <Dialog title={t("Keys")} onClose={onClose}>
      <dl className={styles.keys}>
        {KEYS.map(([keys, does]) => (
          <div key={does}>
            <dt>{keys.map((key) => <kbd key={key}>{t(key)}</kbd>)}</dt>
            <dd>{t(does)}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
