import type { CSSProperties } from "react";
import styles from "./Monogram.module.css";

/** The first letter on a tint of its own, the same wherever this person appears. */
export function Monogram({ username, name, small = false }: { username: string; name: string; small?: boolean }) {
  const style = { "--hue": hueOf(username) } as CSSProperties;
  return (
    <span className={`${styles.monogram} ${small ? styles.small : ""}`} style={style} aria-hidden="true">
      {[...name][0]?.toUpperCase() ?? "?"}
    </span>
  );
}

function hueOf(username: string): number {
  let hash = 7;
  for (const char of username) hash = (hash * 31 + (char.codePointAt(0) ?? 0)) % 9973;
  return (hash * 47) % 360;
}
