import { useCallback, useEffect, useRef, useState, type MouseEvent } from "react";
import { useLocation, useNavigate, useParams } from "react-router";
import { Boundary, nothing, partly } from "@/components/ui/Boundary";
import { Button } from "@/components/ui/Button";
import { PanelBoundary } from "@/components/ui/PanelBoundary";
import type { SessionService } from "@/features/auth/session";
import { unreadIn } from "@/features/rooms/roomList";
import { goHome } from "@/lib/focus";
import { sentence, t } from "@/lib/language";
import { isCovered, useLayer } from "@/lib/layers";
import { lazy } from "@/lib/lazy";
import { useValue } from "@/lib/store";
import { useLate } from "@/lib/useLate";
import type { Room, User } from "@/types/protocol";
import { clientOf } from "./client";
import { lastRoom, rememberRoom } from "./lastRoom";
import type { Panel } from "./panels";
import { RoomHeader } from "./RoomHeader";
import { RoomView } from "./RoomView";
import { Sidebar } from "./Sidebar";
import { useKeys } from "./useKeys";
import { useSheet } from "./useSheet";
import { useTitle } from "./useTitle";
import roomStyles from "./RoomView.module.css";
import styles from "./ChatRoom.module.css";

const LATE_MS = 3_000;

const QuickSwitcher = lazy(() => import("@/features/rooms/QuickSwitcher"));
const BrowseRooms = lazy(() => import("@/features/rooms/BrowseRooms"));
const CreateRoom = lazy(() => import("@/features/rooms/CreateRoom"));
const MembersPanel = lazy(() => import("@/features/rooms/MembersPanel"));
const AccountPanel = lazy(() => import("@/features/auth/AccountPanel"));
const Announcer = lazy(() => import("./Announcer"));
const Bars = lazy(() => import("./Bars"));
const RoomMissing = lazy(() => import("./RoomMissing"));
const ShortcutSheet = lazy(() => import("./ShortcutSheet"));
const SignOut = lazy(() => import("./SignOut"));

/** The whole chat of one person: rooms at the side, one room open, panels over it. */
export default function ChatRoom({ session, user }: { session: SessionService; user: User }) {
  const client = clientOf(session, user);
  const { room: id = "general", seq } = useParams();
  const { key: visit } = useLocation();
  const navigate = useNavigate();
  const [panel, setPanel] = useState<Panel | null>(null);
  const list = useValue(client.rooms.shown);
  const failure = useValue(client.rooms.failure);
  const room = list.rooms.get(id);
  const isMine = room !== undefined;
  if (panel === "members" && !room) setPanel(null); // or it would open by itself when I am in it again
  // "No such room" is said when it is certain, not while the first connection still makes me a member.
  const certain = useValue(client.followers.compared) && list.loaded && !list.stale;
  const late = useLate(!room && !certain, LATE_MS);
  const linked = seq && /^[1-9]\d{0,11}$/.test(seq) ? Number(seq) : null;
  const close = useCallback(() => setPanel(null), []);

  useEffect(() => client.start(), [client]);
  useEffect(() => {
    // A room of an earlier visit is asked for beside the list of rooms, any other one once the list says that it is
    // mine.
    if (lastRoom(user.username) === id) client.followers.hold(id, true);
    if (isMine) rememberRoom(user.username, id);
  }, [client, user.username, id, isMine]);
  useTitle(room?.name, list.rooms, useValue(client.outbox.overdue));
  useKeys(setPanel);
  useLayer(panel !== null, close);
  const sheet = useSheet(panel === "rooms", close);

  // Whoever chose a room in a dialog is there now, and not at the button that opened the dialog.
  const arrives = useRef(false);
  useEffect(() => {
    if (panel === null && arrives.current) goHome();
    arrives.current = false;
  }, [panel]);
  const go = (picked: Room | string) => {
    arrives.current = true;
    setPanel(null);
    const to = `/r/${encodeURIComponent(typeof picked === "string" ? picked : picked.room)}`;
    void navigate(to, { replace: isCovered() });
  };
  const elsewhere = unreadIn([...list.rooms.values()].filter(({ room: other }) => other !== id));
  const isInvited = useValue(client.news).some(({ kind, room: other }) => kind === "invited" && other !== id);

  return (
    <div className={styles.shell} data-rooms={panel === "rooms" || undefined}>
      <a className={styles.skip} href="#messages" onClick={toMessages}>{t("To the messages")}</a>
      <div ref={sheet} className={styles.side}>
        <Boundary of={list} instead={ROOMS}>
          <Sidebar client={client} session={session} open={setPanel} close={close} />
        </Boundary>
      </div>
      {panel === "rooms" && (
        <button type="button" className={styles.veil} aria-label={t("Close rooms")} onClick={close} />
      )}
      <main id="messages" className={styles.main} tabIndex={-1} inert={panel === "rooms"}>
        <Boundary of={list} instead={HEADER}>
          <RoomHeader client={client} room={room} id={id} missing={certain && !isMine} elsewhere={elsewhere}
            isInvited={isInvited} open={setPanel} />
        </Boundary>
        <Boundary instead={nothing}>
          <Bars client={client} session={session} here={id} />
        </Boundary>
        {room ? (
          <Boundary key={`${client.user.username} ${id}`} of={room} instead={ROOM}>
            <RoomView client={client} room={room} visit={visit} linked={linked} />
          </Boundary>
        ) : certain ? (
          <Boundary of={list} instead={ROOM}>
            <RoomMissing key={id} room={id} rooms={client.rooms} />
          </Boundary>
        ) : (
          <div className={roomStyles.missing} aria-busy={!failure}>
            {failure && <p role="alert">{failure.message}</p>}
            {!failure && late && (
              <p role="status">{t("Your rooms are on their way. The server has not answered yet.")}</p>
            )}
            {failure && <Button onClick={() => void client.rooms.refetch()}>{t("Try again")}</Button>}
          </div>
        )}
      </main>
      <Boundary of={list} instead={nothing}>
        <Announcer client={client} open={isMine ? id : null} />
      </Boundary>
      <PanelBoundary key={panel} onClose={close}>
        {panel === "switcher" && <QuickSwitcher rooms={client.rooms} onPick={go} onClose={close} />}
        {panel === "browse" && (
          <BrowseRooms rooms={client.rooms} onDone={go} onCreate={() => setPanel("create")} onClose={close} />
        )}
        {panel === "create" && <CreateRoom create={client.rooms.create} onDone={go} onClose={close} />}
        {panel === "members" && room && (
          <MembersPanel room={room} me={user.username} rooms={client.rooms} onLeft={() => go("general")}
            onClose={close} />
        )}
        {panel === "account" && <AccountPanel session={session} onClose={close} />}
        {panel === "leaving" && <SignOut client={client} session={session} onClose={close} />}
        {panel === "keys" && <ShortcutSheet onClose={close} />}
      </PanelBoundary>
    </div>
  );
}

const ROOMS = partly(sentence("The rooms"));
const HEADER = partly(sentence("The room’s name"));
const ROOM = partly(sentence("This room"));

/** Past the rooms and their buttons, to the newest message; to the room where it has none. */
function toMessages(event: MouseEvent<HTMLAnchorElement>) {
  event.preventDefault(); // an address of its own would be a page to go back to
  const newest = [...document.querySelectorAll<HTMLElement>('main article[tabindex="0"]')].at(-1);
  (newest ?? document.querySelector<HTMLElement>("main"))?.focus();
}
