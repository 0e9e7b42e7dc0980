import { useLocation } from "react-router";
import { Link } from "@/components/ui/Link";
import { t } from "@/lib/language";
import { AccountForm } from "./AccountForm";
import type { SessionService } from "./session";

export function Register({ session }: { session: SessionService }) {
  const { search } = useLocation();
  return (
    <AccountForm title={t("Create an account")} action={t("Create account")} isNew
      submit={(name, password) => session.register(name, password)}
      lead={t("A name and a password, and you are in.")}>
      {t("Have an account?")} <Link to={`/login${search}`}>{t("Sign in")}</Link>
    </AccountForm>
  );
}
