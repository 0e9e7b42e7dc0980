import type { Ref } from "react";
import { Button } from "@/components/ui/Button";
import { Icon } from "@/components/ui/icons";
import styles from "./Message.module.css";

export type MessageAction = "react" | "reply" | "edit" | "delete" | "link";

interface Props {
  mine: boolean;
  /** Only the message that has the keyboard offers its actions to the Tab key. */
  reachable: boolean;
  act(action: MessageAction): void;
  /** The button beside which the palette of reactions opens. */
  reactButton: Ref<HTMLButtonElement>;
}

const NAMES: Record<MessageAction, [label: string, icon: "smile" | "reply" | "edit" | "trash" | "link"]> = {
  react: ["Add reaction", "smile"],
  reply: ["Reply", "reply"],
  link: ["Copy link", "link"],
  edit: ["Edit", "edit"],
  delete: ["Delete", "trash"],
};

export function MessageActions({ mine, reachable, act, reactButton }: Props) {
  const offered: MessageAction[] = mine ? ["react", "reply", "link", "edit", "delete"] : ["react", "reply", "link"];
  return (
    <div className={styles.bar}>
      <div className={styles.actions} role="group" aria-label="Message actions">
        {offered.map((action) => (
          <Button key={action} ref={action === "react" ? reactButton : undefined} look="icon" small
            aria-label={NAMES[action][0]} title={NAMES[action][0]}
            tabIndex={reachable ? 0 : -1} onClick={() => act(action)}>
            <Icon name={NAMES[action][1]} size={17} />
          </Button>
        ))}
      </div>
    </div>
  );
}
