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

/** FNV-1a over the name, its high bits folded in, as a hue. */
function hueOf(username: string): number {
  let hash = 0x811c9dc5;
  for (const char of username) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return (hash ^ (hash >>> 15)) % 360;
}
