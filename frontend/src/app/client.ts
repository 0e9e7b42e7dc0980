import { chatBase } from "@/config/endpoints";
import { asActs } from "@/features/auth/acts";
import { listenToSession } from "@/features/auth/rejoin";
import type { SessionService } from "@/features/auth/session";
import { createFollowers } from "@/features/messages/log/followers";
import { listenForNames, listenToLogs } from "@/features/messages/log/listeners";
import { createNames } from "@/features/messages/log/names";
import { createPages } from "@/features/messages/log/pages";
import { createChanges } from "@/features/messages/message/changes";
import { openOutboxDisk } from "@/features/messages/outbox/disk";
import { listenToOutbox } from "@/features/messages/outbox/listeners";
import { createOutbox } from "@/features/messages/outbox/outbox";
import { createReactions } from "@/features/messages/reactions/reactions";
import { pruneByLogs } from "@/features/messages/timeline/listeners";
import type { Stands } from "@/features/messages/timeline/stands";
import { listenToTyping } from "@/features/presence/listeners";
import { createTyping } from "@/features/presence/typing";
import { wipeRooms } from "@/features/rooms/keptRooms";
import { listenToRooms } from "@/features/rooms/listeners";
import type { News } from "@/features/rooms/newsItems";
import { createRooms } from "@/features/rooms/rooms";
import { realClock, type Clock } from "@/lib/clock";
import { createConnection } from "@/lib/connection";
import { wipeDrafts } from "@/lib/drafts";
import { listenForReach } from "@/lib/reach";
import { createStore } from "@/lib/store";
import { openTabs } from "@/lib/tabs";
import { watchOver } from "@/lib/visibility";
import { openWire, type Wire } from "@/lib/wire";
import type { User } from "@/types/protocol";
import { dropLeftRooms } from "./leftRooms";

export type Client = ReturnType<typeof createClient>;

/** Everything one person has on this page: connection, rooms, logs, outbox. Nothing of it outlives them. */
export function createClient(session: SessionService, user: User, wire?: Wire, clock: Clock = realClock) {
  const me = user.username;
  const base = chatBase();
  const { http } = session;
  const connection = createConnection(wire ?? openWire(base, me), clock, session.listeners);
  const { ask } = connection;
  const act = asActs(ask, session.slid);
  const connected = () => connection.state.get().phase === "connected";
  const tabs = openTabs(`parley.outbox.${me}`);

  const names = createNames();
  names.met(user);
  const pages = createPages({
    base, http, ask,
    told(page) {
      names.page(page);
      page.messages.forEach(outbox.settle);
    },
  });
  const followers = createFollowers({ ...pages, clock, connected });
  const { cursor, snapshot } = followers;
  const outbox = createOutbox({ user: me, disk: openOutboxDisk(), tabs, ask: act, clock, connected, cursor });
  const changes = createChanges({ ask: act, snapshot });
  const reactions = createReactions({ ask: act, look: ask, snapshot, me: user.name });
  const met = (people: readonly User[]) => people.forEach(names.met);
  const rooms = createRooms({ user: me, base, http, ask, clock, met, nameOf: names.of });
  const typing = createTyping({ user: me, ask, clock });
  const stands: Stands = new Map();
  const news = createStore<readonly News[]>([]);

  // What two of them hear is heard in this order.
  const stops = [
    listenForReach(connection),
    watchOver(connection),
    listenToOutbox(connection, outbox, tabs),
    listenForNames(connection, names),
    listenToLogs(connection, followers),
    listenToRooms(connection, rooms),
    listenToTyping(connection, typing),
    listenToSession(connection, session, clock, follow),
    pruneByLogs(followers, outbox),
    dropLeftRooms(rooms, followers),
    session.state.subscribe(follow),
  ];

  /** The session decides: it lives, it rests under the login panel, or it is over. */
  function follow() {
    const now = session.state.get();
    if (now.status === "signed-in" && now.user.username === me) return connection.start();
    connection.stop();
    if (now.status === "ended") return;
    if (now.status === "signed-out") {
      void outbox.wipe();
      wipeDrafts(me);
      wipeRooms(me);
    }
    dispose();
  }

  function dispose() {
    for (const stop of stops) stop();
    connection.stop();
    outbox.close();
    tabs.close();
    followers.dispose();
    rooms.dispose();
    typing.dispose();
    clients.delete(session);
  }

  return {
    user, connection, followers, outbox, changes, reactions, rooms, typing, names, stands, news,
    fetchPage: pages.fetchPage,
    start() {
      void outbox.load();
      follow();
    },
  };
}

const clients = new WeakMap<SessionService, Client>();

/** The one client of whoever is signed in; rendering twice makes no second one. */
export function clientOf(session: SessionService, user: User): Client {
  const held = clients.get(session);
  if (held?.user.username === user.username) return held;
  const made = createClient(session, user);
  clients.set(session, made);
  return made;
}
