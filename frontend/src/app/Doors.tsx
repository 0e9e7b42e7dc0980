import { Route, Routes } from "react-router";
import { Login } from "@/features/auth/Login";
import { Register } from "@/features/auth/Register";
import type { SessionService } from "@/features/auth/session";
import { DoorPage, SessionPanel } from "@/features/auth/SessionPanel";

/** Signing in and registering: a page, or a panel `over` the room of somebody whose session has ended. */
export default function Doors({ session, over }: { session: SessionService; over: boolean }) {
  const Place = over ? SessionPanel : DoorPage;
  return (
    <Place>
      <Routes>
        <Route path="/login" element={<Login session={session} />} />
        <Route path="/register" element={<Register session={session} />} />
      </Routes>
    </Place>
  );
}
