import { useEffect, useId, useRef, useState, type FormEvent, type ReactNode } from "react";
import { Brand } from "@/components/ui/Brand";
import { Button } from "@/components/ui/Button";
import { TextField } from "@/components/ui/TextField";
import { failureOf, type Failure } from "@/lib/failure";
import { t } from "@/lib/language";
import styles from "./AccountForm.module.css";

interface Props {
  title: string;
  lead?: string;
  action: string;
  isNew?: boolean;
  name?: string;
  /** Further fields. */
  further?: ReactNode;
  submit(name: string, password: string, form: FormData): Promise<unknown>;
  children: ReactNode;
}

/** A name and a password. What is wrong is said plainly, and the focus stands where it can be mended. */
export function AccountForm({
  title, lead, action, isNew = false, name: known = "", further, submit, children,
}: Props) {
  const [failure, setFailure] = useState<Failure | null>(null);
  const [busy, setBusy] = useState(false);
  const nameField = useRef<HTMLInputElement>(null);
  const passwordField = useRef<HTMLInputElement>(null);
  const panel = useRef<HTMLFormElement>(null);
  const heading = useId();
  const aboutName = failure !== null && /^username/.test(failure.code);

  useEffect(() => {
    (nameField.current?.value ? passwordField : nameField).current?.focus();
  }, []);

  async function submitted(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    if (busy) return;
    const form = new FormData(event.currentTarget);
    setBusy(true);
    setFailure(null);
    try {
      await submit(String(form.get("username")).trim(), String(form.get("password")), form);
    } catch (thrown) {
      refused(failureOf(thrown));
    } finally {
      setBusy(false);
    }
  }

  function refused(failed: Failure) {
    setFailure(failed);
    shake(panel.current);
    const field = /^username/.test(failed.code) ? nameField.current : passwordField.current;
    field?.focus();
    field?.select();
  }

  return (
    <form ref={panel} className={styles.panel} onSubmit={submitted} aria-labelledby={heading} aria-busy={busy}>
      <Brand />
      <div>
        <h1 id={heading}>{title}</h1>
        {lead && <p className={styles.lead}>{lead}</p>}
      </div>
      <TextField ref={nameField} label={t("Name")} name="username" autoComplete="username" autoCapitalize="none"
        spellCheck={false} required maxLength={64} defaultValue={known} wrong={aboutName} />
      <TextField ref={passwordField} label={t("Password")} name="password" type="password" required
        autoComplete={isNew ? "new-password" : "current-password"}
        hint={isNew ? t("At least 8 characters.") : undefined}
        wrong={/^(bad_credentials|password)/.test(failure?.code ?? "")} />
      {further}
      <p className={styles.failure} role="alert">{failure?.message ?? (!navigator.cookieEnabled && noCookies())}</p>
      <Button type="submit" look="solid" aria-disabled={busy}>{action}</Button>
      <p className={styles.other}>{children}</p>
    </form>
  );
}

const noCookies = () =>
  t("Your browser keeps no cookies for this site, and without one nobody can sign in. Please allow them and reload.");

/** Says no the way a head does; not for people who asked for less motion. */
function shake(element: HTMLElement | null) {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  element?.animate?.(
    [0, -8, 7, -5, 3, 0].map((x) => ({ transform: `translateX(${x}px)` })),
    { duration: 320, easing: "ease-out" },
  );
}
