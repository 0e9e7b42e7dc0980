import { useLayoutEffect, useRef, type ReactNode } from "react";
import { t } from "@/lib/language";
import styles from "./AccountForm.module.css";

/** The login page over a room that stays visible: a modal that only signing in closes. */
export function SessionPanel({ children }: { children: ReactNode }) {
  const ref = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const dialog = ref.current;
    if (dialog && !dialog.open) dialog.showModal();
    return () => dialog?.close();
  }, []);
  return (
    <dialog ref={ref} className={styles.over} aria-label={t("Sign in again")}
      onCancel={(event) => event.preventDefault()}>
      {children}
    </dialog>
  );
}

export function DoorPage({ children }: { children: ReactNode }) {
  return <main className={styles.page}>{children}</main>;
}
