import { useLayoutEffect, useRef, type MouseEvent, type ReactNode } from "react";
import { giveBack } from "@/lib/focus";
import { t } from "@/lib/language";
import { isTouch } from "@/lib/touch";
import { Button } from "./Button";
import { Icon } from "./icons";
import styles from "./Dialog.module.css";

interface Props {
  title: string;
  onClose(): void;
  children: ReactNode;
  /** Shown to assistive technology only. */
  quietTitle?: boolean;
}

/**
 * A native modal dialog: the browser traps the focus. Escape and a click beside it close it, and the focus goes back to
 * where it was: while the dialog is still in the page, or the browser would not know where that is.
 */
export function Dialog({ title, onClose, children, quietTitle = false }: Props) {
  const ref = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const dialog = ref.current;
    if (!dialog) return;
    const before = document.activeElement;
    if (!dialog.open) dialog.showModal();
    const field = dialog.querySelector<HTMLElement>("input:not([type=radio], [type=password])");
    if (isTouch()) dialog.focus(); // nothing is written yet, and the keyboard would cover half of it
    else field?.focus();
    return () => {
      dialog.close();
      giveBack(before, dialog);
    };
  }, []);
  const besides = (event: MouseEvent) => event.target === ref.current && onClose();
  const cancelled = (event: { preventDefault(): void }) => {
    event.preventDefault();
    onClose();
  };
  return (
    <dialog ref={ref} tabIndex={-1} className={styles.dialog} aria-label={title} onCancel={cancelled} onClick={besides}>
      <div className={styles.body}>
        {!quietTitle && (
          <header className={styles.header}>
            <h2>{title}</h2>
            <Button look="icon" aria-label={t("Close")} onClick={onClose}>
              <Icon name="close" />
            </Button>
          </header>
        )}
        {children}
      </div>
    </dialog>
  );
}
