import { useId, type InputHTMLAttributes, type Ref } from "react";
import styles from "./TextField.module.css";

interface Props extends InputHTMLAttributes<HTMLInputElement> {
  label: string;
  hint?: string;
  wrong?: boolean;
  ref?: Ref<HTMLInputElement>;
}

export function TextField({ label, hint, wrong = false, ...rest }: Props) {
  const id = useId();
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{label}</label>
      <input id={id} aria-invalid={wrong || undefined} aria-describedby={hint ? `${id}-hint` : undefined} {...rest} />
      {hint && <p id={`${id}-hint`}>{hint}</p>}
    </div>
  );
}
