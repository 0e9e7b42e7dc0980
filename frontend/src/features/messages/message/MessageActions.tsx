import { useLayoutEffect, useRef, type ReactNode, type Ref } from "react";
import { Button } from "@/components/ui/Button";
import { Icon } from "@/components/ui/icons";
import { sentence, t } from "@/lib/language";
import styles from "./Message.module.css";

export type MessageAction = "react" | "reply" | "edit" | "delete" | "link";

interface Props {
  mine: boolean;
  /** Only the message that has the keyboard offers its actions to the Tab key. */
  reachable: boolean;
  act(action: MessageAction): void;
  /** The button beside which the palette of reactions opens. */
  reactButton: Ref<HTMLButtonElement>;
  /** The time: then they stand below the message, for fingers, instead of over its edge. */
  below: ReactNode;
}

const NAMES: Record<MessageAction, [label: string, icon: "smile" | "reply" | "edit" | "trash" | "link"]> = {
  react: [sentence("Add reaction"), "smile"],
  reply: [sentence("Reply"), "reply"],
  link: [sentence("Copy link"), "link"],
  edit: [sentence("Edit"), "edit"],
  delete: [sentence("Delete"), "trash"],
};

export function MessageActions({ mine, reachable, act, reactButton, below }: Props) {
  const bar = useRef<HTMLDivElement>(null);
  const isBelow = below !== null;
  useLayoutEffect(() => {
    if (isBelow) bar.current?.scrollIntoView?.({ block: "nearest" });
  }, [isBelow]);
  const offered: MessageAction[] = mine ? ["react", "reply", "link", "edit", "delete"] : ["react", "reply", "link"];
  return (
    <div ref={bar} className={isBelow ? styles.below : styles.bar}>
      {below}
      <div className={styles.actions} role="group" aria-label={t("Message actions")}>
        {offered.map((action) => (
          <Button key={action} ref={action === "react" ? reactButton : undefined} look="icon" small
            aria-label={t(NAMES[action][0])} title={t(NAMES[action][0])}
            tabIndex={reachable ? 0 : -1} onClick={() => act(action)}>
            <Icon name={NAMES[action][1]} size={17} />
          </Button>
        ))}
      </div>
    </div>
  );
}
