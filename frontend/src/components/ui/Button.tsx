import type { ButtonHTMLAttributes, Ref } from "react";
import styles from "./Button.module.css";

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: "solid" | "plain" | "alarm" | "icon";
  small?: boolean;
  ref?: Ref<HTMLButtonElement>;
}

export function Button({ look = "plain", small = false, className = "", type = "button", ...rest }: Props) {
  const classes = `${styles.button} ${styles[look]} ${small ? styles.small : ""} ${className}`;
  return <button type={type} className={classes} {...rest} />;
}
