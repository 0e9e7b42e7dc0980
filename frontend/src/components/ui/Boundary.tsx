import { Component, type ReactNode } from "react";
import { t } from "@/lib/language";
import { Unfetched } from "@/lib/lazy";
import { Button } from "./Button";
import styles from "./Boundary.module.css";

interface Props {
  children: ReactNode;
  /** What stands there instead of a part that cannot be shown; `again` tries it once more. */
  instead?(again: () => void, error: unknown): ReactNode;
  /** What the part shows: when it is another, the part is tried again. */
  of?: unknown;
}

/**
 * When a part of the page cannot be shown (a bug, or a file of an older version that is gone), says so and offers a way
 * out. What stands around it goes on.
 */
export class Boundary extends Component<Props, { failed: boolean; error?: unknown }> {
  override state: { failed: boolean; error?: unknown } = { failed: false };

  static getDerivedStateFromError(error: unknown) {
    return { failed: true, error };
  }

  override componentDidCatch(error: unknown) {
    if (error instanceof Unfetched) error.forget();
  }

  override componentDidUpdate(before: Props) {
    if (this.state.failed && before.of !== this.props.of) this.again();
  }

  private again = () => this.setState({ failed: false });

  override render() {
    if (!this.state.failed) return this.props.children;
    return (this.props.instead ?? wholePage)(this.again, this.state.error);
  }
}

const wholePage = () => (
  <div className={styles.failed} role="alert">
    <p>{t("This part of the page could not be shown. What you typed is kept.")}</p>
    <Button look="solid" onClick={() => location.reload()}>{t("Reload")}</Button>
  </div>
);

/** Instead of a part that is always there: the rooms, the messages, the field. */
export const partly = (what: string) => function Instead(again: () => void) {
  return (
    <div className={styles.part} role="alert">
      <p>{t("{what} cannot be shown. What you typed is kept.", { what: t(what) })}</p>
      <Button small onClick={again}>{t("Try again")}</Button>
    </div>
  );
};

/** Instead of a part that nobody would miss. */
export const nothing = () => null;
