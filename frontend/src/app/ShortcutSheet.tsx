import { Dialog } from "@/components/ui/Dialog";
import styles from "./ShortcutSheet.module.css";

const KEYS: [keys: string[], does: string][] = [
  [["Ctrl", "K"], "Go to any room"],
  [["Ctrl", "/"], "This sheet; outside of fields ? too"],
  [["Enter"], "Send"],
  [["Shift", "Enter"], "New line"],
  [["↑"], "Edit your last message (empty field)"],
  [["Esc"], "Back to the message field, close what is open"],
  [["Tab"], "On to the messages, the rooms, the buttons"],
  [["↑", "↓"], "From message to message"],
  [["R"], "Reply to the message"],
  [["+"], "React to the message"],
  [["E"], "Edit the message"],
  [["C"], "Copy the message's link"],
  [["Delete"], "Delete the message"],
];

export default function ShortcutSheet({ onClose }: { onClose(): void }) {
  return (
    <Dialog title="Keys" onClose={onClose}>
      <dl className={styles.keys}>
        {KEYS.map(([keys, does]) => (
          <div key={does}>
            <dt>{keys.map((key) => <kbd key={key}>{key}</kbd>)}</dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
