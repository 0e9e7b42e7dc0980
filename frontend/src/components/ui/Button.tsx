import type { ButtonHTMLAttributes, Ref } from "react";
import styles from "./Button.module.css";

type Props = ButtonHTMLAttributes<HTMLButtonElement> & { look?: "solid" | "plain" | "alarm" | "icon"; small?: boolean; ref?: Ref<HTMLButtonElement> };

export function Button({ look = "plain", small = false, className = "", type = "button", ...rest }: Props) {
  return <button type={type} className={`${styles.button} ${styles[look]} ${small ? styles.small : ""} ${className}`} {...rest} />;
}
