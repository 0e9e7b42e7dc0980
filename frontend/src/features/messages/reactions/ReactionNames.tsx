import { useLayoutEffect, useRef } from "react";
import { placeBeside } from "@/lib/beside";
import { inWords } from "./words";
import styles from "./ReactionRow.module.css";

interface Props {
  id: string;
  /** The reaction that it stands beside. */
  pill: Element;
  names: readonly string[];
  count: number;
}

/**
 * Whose a reaction is. In the browser's top layer: rows of the log lie over one another, and it cuts what reaches
 * beyond it.
 */
export default function ReactionNames({ id, pill, names, count }: Props) {
  const tip = useRef<HTMLSpanElement>(null);
  const text = inWords(names, count);
  useLayoutEffect(() => tip.current?.showPopover?.(), []);
  useLayoutEffect(() => {
    if (tip.current) placeBeside(tip.current, pill, "left");
  }, [pill, text]);
  return <span ref={tip} id={id} popover="manual" role="tooltip" className={styles.who}>{text}</span>;
}
