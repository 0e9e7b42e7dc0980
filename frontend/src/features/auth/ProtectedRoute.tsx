import { useEffect, useState, type ReactNode } from "react";
import { Navigate, useLocation } from "react-router";
import { Button } from "@/components/ui/Button";
import { failureOf, type Failure } from "@/lib/failure";
import { t } from "@/lib/language";
import { useValue } from "@/lib/store";
import { useLate } from "@/lib/useLate";
import type { User } from "@/types/protocol";
import { loginPath, type SessionService } from "./session";
import styles from "./ProtectedRoute.module.css";

const LATE_MS = 2_000;

interface Props {
  session: SessionService;
  children(user: User): ReactNode;
}

/** Shows its children to whoever is signed in; sends everybody else to the login page and back afterwards. */
export function ProtectedRoute({ session, children }: Props) {
  const state = useValue(session.state);
  const location = useLocation();
  const [failure, setFailure] = useState<Failure | null>(null);
  const [attempt, setAttempt] = useState(0);
  const asking = state.status === "unknown";
  const late = useLate(asking && !failure, LATE_MS);

  useEffect(() => {
    if (asking) session.check().catch((thrown: unknown) => setFailure(failureOf(thrown)));
  }, [asking, attempt, session]);

  if (state.status === "signed-in" || state.status === "ended") return children(state.user);
  if (state.status === "signed-out") return <Navigate to={state.on_purpose ? "/login" : loginPath(location)} replace />;
  if (!failure) {
    return (
      <main className={styles.page} aria-busy={!late}>
        <h1 className="visually-hidden">Parley</h1>
        <p role="status">{late && t("The server has not answered yet…")}</p>
      </main>
    );
  }
  const again = () => {
    setFailure(null);
    setAttempt(attempt + 1);
  };
  return (
    <main className={styles.page}>
      <h1 className="visually-hidden">Parley</h1>
      <p role="alert">{failure.message}</p>
      <Button onClick={again}>{t("Try again")}</Button>
    </main>
  );
}
