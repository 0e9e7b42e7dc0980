import { useLayoutEffect, useRef, useState, type KeyboardEvent, type RefObject, type ToggleEvent } from "react";
import { placeBeside } from "@/lib/beside";
import { sentence, t } from "@/lib/language";
import { useLayer } from "@/lib/layers";
import styles from "./ReactionPalette.module.css";

const EMOJI: readonly [emoji: string, name: string][] = [
  ["👍", sentence("Thumbs up")], ["❤️", sentence("Heart")], ["😂", sentence("Laughing")],
  ["🎉", sentence("Party")], ["🙏", sentence("Thank you")], ["👀", sentence("Looking")],
  ["✅", sentence("Done")], ["🚀", sentence("Rocket")], ["🔥", sentence("Fire")],
  ["👏", sentence("Applause")], ["💯", sentence("Hundred")], ["🙌", sentence("Hooray")],
  ["🙂", sentence("Smile")], ["😍", sentence("In love")], ["😅", sentence("Phew")],
  ["😮", sentence("Surprised")], ["😢", sentence("Sad")], ["🤔", sentence("Thinking")],
  ["👎", sentence("Thumbs down")], ["👋", sentence("Hello")], ["💡", sentence("Idea")],
  ["☕", sentence("Coffee")], ["🤝", sentence("Deal")], ["🐛", sentence("Bug")],
];
const COLUMNS = 6;

interface Props {
  /** The button that it opens beside, and that gets the focus back. */
  anchor: RefObject<HTMLElement | null>;
  isMine(emoji: string): boolean;
  pick(emoji: string): void;
  close(): void;
}

/** A few emoji to react with. A native popover: Escape and a click beside it close it; on a phone the style sheet puts
 * it at the foot of the screen. */
export default function ReactionPalette({ anchor, isMine, pick, close }: Props) {
  const panel = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState(0);

  useLayoutEffect(() => {
    const element = panel.current;
    if (!element) return;
    element.showPopover?.();
    if (anchor.current) placeBeside(element, anchor.current, "right");
    element.querySelector("button")?.focus({ preventScroll: true });
  }, [anchor]);

  function leave() {
    close();
    anchor.current?.focus({ preventScroll: true });
  }

  useLayer(true, leave);

  const toggled = (event: ToggleEvent) => {
    if (event.newState !== "closed") return;
    if (panel.current?.contains(document.activeElement) || document.activeElement === document.body) leave();
    else close();
  };

  function pressed(event: KeyboardEvent) {
    if (event.key === "Escape") {
      event.stopPropagation(); // it would lead to the message field
      event.preventDefault();
      return leave();
    }
    const to = {
      ArrowLeft: at - 1, ArrowRight: at + 1, ArrowUp: at - COLUMNS, ArrowDown: at + COLUMNS,
      Home: 0, End: EMOJI.length - 1,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const next = Math.min(EMOJI.length - 1, Math.max(0, to));
    setAt(next);
    panel.current?.querySelectorAll("button")[next]?.focus();
  }

  return (
    <div ref={panel} popover="auto" className={styles.palette} role="dialog" aria-label={t("Pick a reaction")}
      onKeyDown={pressed} onToggle={toggled}>
      {EMOJI.map(([emoji, name], index) => (
        <button key={emoji} type="button" aria-label={t(name)} title={t(name)} aria-pressed={isMine(emoji)}
          tabIndex={index === at ? 0 : -1} onFocus={() => setAt(index)}
          onClick={() => {
            pick(emoji);
            leave();
          }}>
          {emoji}
        </button>
      ))}
    </div>
  );
}
