import type { ReactNode } from "react";
import { t } from "@/lib/language";
import { Unfetched } from "@/lib/lazy";
import { Boundary } from "./Boundary";
import { Button } from "./Button";
import styles from "./Boundary.module.css";

/**
 * Around a panel: one that cannot be shown says so and can be closed, and the chat under it goes on. It says so in a
 * dialog of its own, which is here: that of all panels is fetched with the first of them.
 */
export function PanelBoundary({ onClose, children }: { onClose(): void; children: ReactNode }) {
  const broken = (again: () => void, error: unknown) => (
    <dialog ref={show} className={styles.dialog} aria-label={t("Something went wrong")} onCancel={onClose}>
      <p role="alert">
        {error instanceof Unfetched
          ? t("This panel could not be fetched from the server. The rest of the page goes on.")
          : t("This panel cannot be shown. The rest of the page goes on.")}
      </p>
      <div className={styles.panel}>
        {error instanceof Unfetched && <Button look="solid" onClick={again}>{t("Try again")}</Button>}
        <Button look={error instanceof Unfetched ? undefined : "solid"} onClick={onClose}>{t("Close it")}</Button>
        <Button onClick={() => location.reload()}>{t("Reload the page")}</Button>
      </div>
    </dialog>
  );
  return <Boundary instead={broken}>{children}</Boundary>;
}

function show(dialog: HTMLDialogElement | null) {
  if (dialog && !dialog.open) dialog.showModal();
}
