import { lazy, Suspense, useEffect, useState, type ReactNode } from "react";
import { Navigate, Route, Routes, useLocation, type Location } from "react-router";
import { Login } from "@/features/auth/Login";
import { ProtectedRoute } from "@/features/auth/ProtectedRoute";
import { Register } from "@/features/auth/Register";
import { loginPath, nextPath, type SessionService } from "@/features/auth/session";
import { DoorPage, SessionPanel } from "@/features/auth/SessionPanel";
import { language } from "@/lib/language";
import { useValue } from "@/lib/store";
import type { User } from "@/types/protocol";
import { lastRoom } from "./lastRoom";

const loadChat = () => import("./ChatRoom");
const ChatRoom = lazy(loadChat);

/** Who sat where on this page last: what stays visible under the login panel. */
interface Seat {
  user: string;
  location: Location;
}

export function App({ session }: { session: SessionService }) {
  useValue(language); // all is said anew, in another one
  const state = useValue(session.state);
  const location = useLocation();
  const [seat, setSeat] = useState<Seat | null>(null);
  const atDoor = location.pathname === "/login" || location.pathname === "/register";
  const user = state.status === "signed-in" || state.status === "ended" ? state.user.username : null;

  useKnownVisitor(session, atDoor);
  if (state.status === "signed-in" && !atDoor && (seat?.location !== location || seat.user !== user)) {
    setSeat({ user: state.user.username, location });
  }
  if (state.status === "signed-out" && seat) setSeat(null);

  // One place in the tree for the chat in every case, so that it is never mounted anew.
  const frame = (at: Location | string | null, over: ReactNode) => (
    <>
      {at !== null && <Rooms session={session} at={at} />}
      {over}
    </>
  );
  const doors = <Doors session={session} />;
  if (state.status === "ended" && seat) {
    const over = atDoor ? <SessionPanel>{doors}</SessionPanel> : <Navigate to={loginPath(location)} replace />;
    return frame(seat.location, over);
  }
  if (state.status === "signed-in" && atDoor) {
    const same = seat?.user === user;
    const asked = same || seat === null ? nextPath(location.search) : "/";
    const next = asked === "/" ? homeOf(state.user) : asked;
    return frame(same ? seat.location : next, <Navigate to={next} replace />);
  }
  return atDoor ? frame(null, <DoorPage>{doors}</DoorPage>) : frame(location, null);
}

function Rooms({ session, at }: { session: SessionService; at: Location | string }) {
  const chat = (
    <ProtectedRoute session={session}>
      {(user) => <Suspense fallback={null}><ChatRoom key={user.username} session={session} user={user} /></Suspense>}
    </ProtectedRoute>
  );
  return (
    <Routes location={at}>
      <Route path="/r/:room/:seq?" element={chat} />
      <Route path="*" element={<ProtectedRoute session={session}>{(user) => <Home user={user} />}</ProtectedRoute>} />
    </Routes>
  );
}

const homeOf = ({ username }: User) => `/r/${encodeURIComponent(lastRoom(username) ?? "general")}`;

function Home({ user }: { user: User }) {
  const { key } = useLocation();
  return <Navigate key={key} to={homeOf(user)} replace />;
}

function Doors({ session }: { session: SessionService }) {
  return (
    <Routes>
      <Route path="/login" element={<Login session={session} />} />
      <Route path="/register" element={<Register session={session} />} />
    </Routes>
  );
}

/** Who signed in here before and comes to the login page may still be signed in; meanwhile the chat is fetched. */
function useKnownVisitor(session: SessionService, atDoor: boolean) {
  useEffect(() => {
    if (!atDoor || session.state.get().status !== "unknown") return;
    if (session.maybeSignedIn()) void session.check().catch(() => {});
    const idle = setTimeout(() => void loadChat(), 1_500);
    return () => clearTimeout(idle);
  }, [session, atDoor]);
}
