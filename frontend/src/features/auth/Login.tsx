import { Link, useLocation } from "react-router";
import { useValue } from "@/lib/store";
import { AccountForm } from "./AccountForm";
import type { SessionService } from "./session";

export function Login({ session }: { session: SessionService }) {
  const { search } = useLocation();
  const state = useValue(session.state);
  const former = state.status === "ended" ? state : null;
  return (
    <AccountForm title={former ? "Welcome back" : "Sign in"} action="Sign in" name={former?.user.name}
      lead={former ? `${former.why} Everything you typed is still here.` : undefined} submit={session.login}>
      New here? <Link to={`/register${search}`}>Create an account</Link>
    </AccountForm>
  );
}
