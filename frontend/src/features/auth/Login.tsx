import { useLocation } from "react-router";
import { Link } from "@/components/ui/Link";
import { Tick } from "@/components/ui/Tick";
import { t } from "@/lib/language";
import { useValue } from "@/lib/store";
import { AccountForm } from "./AccountForm";
import type { SessionService } from "./session";

export function Login({ session }: { session: SessionService }) {
  const { search } = useLocation();
  const state = useValue(session.state);
  const days = useValue(session.remember_days);
  const former = state.status === "ended" ? state : null;
  return (
    <AccountForm title={former ? t("Welcome back") : t("Sign in")} action={t("Sign in")} name={former?.user.name}
      lead={former ? `${former.why} ${t("Everything you typed is still here.")}` : undefined}
      submit={(name, password, form) => session.login(name, password, form.has("remember"))}
      further={days > 0 && (
        <Tick label={t("Keep me signed in on this device")} name="remember" hint={keptFor(days)} />
      )}>
      {t("New here?")} <Link to={`/register${search}`}>{t("Create an account")}</Link>
    </AccountForm>
  );
}

const keptFor = (days: number) =>
  `${t("Until you have stayed away for {days, plural, one {a day} other {# days}}.", { days })} ` +
  t("Better not where others sit at the same computer.");
