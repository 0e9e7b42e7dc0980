import { useLocation } from "react-router";
import { Link } from "@/components/ui/Link";
import { AccountForm } from "./AccountForm";
import type { SessionService } from "./session";

export function Register({ session }: { session: SessionService }) {
  const { search } = useLocation();
  return (
    <AccountForm title="Create an account" action="Create account" isNew
      submit={(name, password) => session.register(name, password)}
      lead="A name and a password, and you are in.">
      Have an account? <Link to={`/login${search}`}>Sign in</Link>
    </AccountForm>
  );
}
