import { useId, type InputHTMLAttributes } from "react";
import styles from "./Tick.module.css";

type Props = InputHTMLAttributes<HTMLInputElement> & { label: string; hint?: string };

/** Yes or no, to be ticked. */
export function Tick({ label, hint, ...rest }: Props) {
  const id = useId();
  return (
    <div className={styles.tick}>
      <label htmlFor={id}>
        <input id={id} type="checkbox" aria-describedby={hint ? `${id}-hint` : undefined} {...rest} />
        {label}
      </label>
      {hint && <p id={`${id}-hint`}>{hint}</p>}
    </div>
  );
}
