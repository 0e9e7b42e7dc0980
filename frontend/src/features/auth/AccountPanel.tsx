import { useCallback, useEffect, useMemo, useState, type FormEvent } from "react";
import { Button } from "@/components/ui/Button";
import { Dialog } from "@/components/ui/Dialog";
import { Question } from "@/components/ui/Question";
import { TextField } from "@/components/ui/TextField";
import { dayName, timeOfDay } from "@/lib/dates";
import { failureOf } from "@/lib/failure";
import { t } from "@/lib/language";
import type { Device } from "@/types/protocol";
import { createAccount, type Account } from "./account";
import { LanguageChoice } from "./LanguageChoice";
import type { SessionService } from "./session";
import styles from "./AccountPanel.module.css";

/** The language of the page; where I am signed in, with the way out of each; my password. */
export default function AccountPanel({ session, onClose }: { session: SessionService; onClose(): void }) {
  const account = useMemo(() => createAccount(session.http), [session]);
  return (
    <Dialog title={t("Your account")} onClose={onClose}>
      <LanguageChoice />
      <Devices account={account} session={session} />
      <Password account={account} />
    </Dialog>
  );
}

function Devices({ account, session }: { account: Account; session: SessionService }) {
  const [devices, setDevices] = useState<readonly Device[]>([]);
  const [trouble, setTrouble] = useState("");
  const [asking, setAsking] = useState(false);
  const fail = useCallback((thrown: unknown) => setTrouble(failureOf(thrown).message), []);
  const load = useCallback(() => account.devices().then(setDevices, fail), [account, fail]);
  useEffect(() => void load(), [load]);

  function signOut(id: string) {
    setTrouble("");
    account.signOut(id).catch(fail).finally(() => void load());
  }
  const stay = useCallback(() => setAsking(false), []);
  const everywhere = () => account.signOutEverywhere().then(session.forget, fail);

  return (
    <section aria-labelledby="devices">
      <h3 id="devices" className={styles.heading}>{t("Your devices")}</h3>
      <p className={styles.failure} role="alert">{trouble}</p>
      <ul className={styles.devices} aria-label={t("Your devices")}>
        {devices.map(({ id, device, current, began_at, kept }) => (
          <li key={id}>
            <span>
              {nameOf(device) || t("A device")}
              <small>
                <span>{current ? t("this one") : t("since {when}", { when: since(began_at) })}</span>
                {kept && <span>{` · ${t("kept signed in")}`}</span>}
              </small>
            </span>
            {!current && (
              <Button small aria-label={t("Sign out {device}", { device: nameOf(device) || t("this device") })}
                onClick={() => signOut(id)}>
                {t("Sign out")}
              </Button>
            )}
          </li>
        ))}
      </ul>
      {asking ? (
        <Question label={t("Sign out everywhere?")} className={styles.row} no={stay}>
          <span className={styles.quiet}>{t("You will sign in again on each of them.")}</span>
          <Button small look="alarm" onClick={() => void everywhere()}>{t("Sign out all")}</Button>
          <Button small onClick={stay}>{t("Stay")}</Button>
        </Question>
      ) : (
        <Button onClick={() => setAsking(true)}>{t("Sign out everywhere")}</Button>
      )}
    </section>
  );
}

function Password({ account }: { account: Account }) {
  const [trouble, setTrouble] = useState<{ code: string; message: string } | null>(null);
  const [done, setDone] = useState(false);
  const [busy, setBusy] = useState(false);
  const aboutOld = trouble?.code === "password_wrong";

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    if (busy) return;
    const form = event.currentTarget;
    const fields = new FormData(form);
    setBusy(true);
    setTrouble(null);
    setDone(false);
    try {
      await account.changePassword(String(fields.get("password")), String(fields.get("new_password")));
      form.reset();
      setDone(true);
    } catch (thrown) {
      const failure = failureOf(thrown);
      setTrouble(failure);
      const wrong = failure.code === "password_wrong" ? "[name=password]" : "[name=new_password]";
      form.querySelector<HTMLInputElement>(wrong)?.focus();
    } finally {
      setBusy(false);
    }
  }

  return (
    <form className={styles.password} onSubmit={submit} aria-labelledby="password">
      <h3 id="password" className={styles.heading}>{t("Password")}</h3>
      <TextField label={t("Password now")} name="password" type="password" autoComplete="current-password" required
        wrong={aboutOld} />
      <TextField label={t("New password")} name="new_password" type="password" autoComplete="new-password" required
        hint={t("At least 8 characters. Your other devices will be signed out.")}
        wrong={trouble?.code.startsWith("password") && !aboutOld} />
      <p className={styles.failure} role="alert">{trouble?.message}</p>
      <p className={styles.done} role="status">{done && t("Your password is changed.")}</p>
      <Button type="submit" look="solid" aria-disabled={busy}>{t("Change password")}</Button>
    </form>
  );
}

/** As the server says it: "Firefox on Linux", or what it knows of that. */
function nameOf(device: string): string {
  const [program, system] = device.split(" on ");
  if (device === "Unknown device") return t("Unknown device");
  return program && system ? t("{program} on {system}", { program, system }) : device;
}

function since(at_s: number): string {
  const day = dayName(at_s * 1000, Date.now());
  return `${day === t("Today") || day === t("Yesterday") ? day.toLowerCase() : day}, ${timeOfDay(at_s * 1000)}`;
}
