import { Component, type ReactNode } from "react";
import { Button } from "./Button";
import styles from "./Boundary.module.css";

/** When a part of the page cannot be shown (a bug, or a file of an older version that is gone), says so and offers a way out. */
export class Boundary extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render() {
    if (!this.state.failed) return this.props.children;
    return (
      <div className={styles.failed} role="alert">
        <p>This part of the page could not be shown. What you typed is kept.</p>
        <Button look="solid" onClick={() => location.reload()}>Reload</Button>
      </div>
    );
  }
}
