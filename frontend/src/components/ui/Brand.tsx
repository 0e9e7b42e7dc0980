import styles from "./Brand.module.css";

export function Brand() {
  return (
    <span className={styles.brand}>
      <svg viewBox="0 0 64 64" width="28" height="28" aria-hidden="true" focusable="false">
        <rect className={styles.tile} width="64" height="64" rx="16" />
        <path className={styles.first}
          d="M16 38c5.500-1.500 9-5.500 9-11.500V18H13.500v12H19c0 3-1.400 4.800-4.500 5.700z" />
        <path className={styles.second}
          d="M34 18h16.500v14.500C50.500 41 45 46.500 36.500 48l-1.400-3.600c4.600-1.400 7-4.200 7.200-8.400H34z" />
      </svg>
      Parley
    </span>
  );
}
