import { useEffect, useState, type ReactNode } from "react";
import { Navigate, Route, Routes, useLocation, type Location } from "react-router";
import { Boundary } from "@/components/ui/Boundary";
import { ProtectedRoute } from "@/features/auth/ProtectedRoute";
import { loginPath, nextPath, type SessionService } from "@/features/auth/session";
import { language } from "@/lib/language";
import { lazy } from "@/lib/lazy";
import { useValue } from "@/lib/store";
import type { User } from "@/types/protocol";
import { lastRoom } from "./lastRoom";

const loadChat = () => import("./ChatRoom");
const ChatRoom = lazy(loadChat);
const loadDoors = () => import("./Doors");
const Doors = lazy(loadDoors);
const DOOR = /^\/(login|register)\/?$/;
// Beside the language, not behind it.
if (DOOR.test(window.location.pathname)) loadDoors().catch(() => {});

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
  const atDoor = DOOR.test(location.pathname);
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
  const doors = (over: boolean) => (
    <Boundary><Doors session={session} over={over} /></Boundary>
  );
  if (state.status === "ended" && seat) {
    const over = atDoor ? doors(true) : <Navigate to={loginPath(location)} replace />;
    return frame(seat.location, over);
  }
  if (state.status === "signed-in" && atDoor) {
    const same = seat?.user === user;
    const asked = same || seat === null ? nextPath(location.search) : "/";
    const next = asked === "/" ? homeOf(state.user) : asked;
    return frame(same ? seat.location : next, <Navigate to={next} replace />);
  }
  return atDoor ? frame(null, doors(false)) : frame(location, null);
}

function Rooms({ session, at }: { session: SessionService; at: Location | string }) {
  const chat = (
    <ProtectedRoute session={session}>
      {(user) => <ChatRoom key={user.username} session={session} user={user} />}
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

/** Who signed in here before may still be signed in, at the login page too; meanwhile the chat is fetched. */
function useKnownVisitor(session: SessionService, atDoor: boolean) {
  useEffect(() => {
    if (session.state.get().status !== "unknown") return;
    const fetchChat = () => void loadChat().catch(() => {});
    const isKnown = session.maybeSignedIn();
    if (!atDoor) return isKnown ? fetchChat() : undefined;
    if (isKnown) void session.check().catch(() => {});
    const idle = setTimeout(fetchChat, 1_500);
    return () => clearTimeout(idle);
  }, [session, atDoor]);
}
