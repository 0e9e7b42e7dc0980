import { chatBase } from "@/config/endpoints";
import type { SessionService } from "@/features/auth/session";
import { createFollowers, type FetchPage } from "@/features/messages/log/followers";
import { createNames } from "@/features/messages/log/names";
import { createChanges } from "@/features/messages/message/changes";
import { openOutboxDisk } from "@/features/messages/outbox/disk";
import { createOutbox } from "@/features/messages/outbox/outbox";
import { createReactions } from "@/features/messages/reactions/reactions";
import { createTyping } from "@/features/presence/typing";
import { wipeRooms } from "@/features/rooms/keptRooms";
import { createRooms } from "@/features/rooms/rooms";
import { realClock, type Clock } from "@/lib/clock";
import { createConnection } from "@/lib/connection";
import { wipeDrafts } from "@/lib/drafts";
import { openTabs } from "@/lib/tabs";
import { isReached } from "@/lib/trouble";
import { lazyWire, type Wire } from "@/lib/wire";
import type { Ask, Message, Page, User } from "@/types/protocol";

export type Client = ReturnType<typeof createClient>;

const ENDINGS = {
  expired: "Your session has ended.",
  elsewhere: "You were signed out from another device.",
  everywhere: "You were signed out everywhere.",
  password: "Your password was changed on another device.",
};

/** How long a tab waits, time after time, for the cookie that another tab was given. */
const REJOIN_MS = [200, 400, 800, 1_600];

const openWire = (user: User): Wire => lazyWire(async () => {
  const { io } = await import("socket.io-client");
  return io(chatBase() || location.origin, {
    path: "/socket.io/",
    transports: ["websocket"],
    auth: { user: user.username },
    autoConnect: false,
    reconnection: false,
    withCredentials: true,
    timeout: 10_000,
    multiplex: false,
  });
});

/** Everything one person has on this page: connection, rooms, logs, outbox. Nothing of it outlives them. */
export function createClient(session: SessionService, user: User, wire: Wire = openWire(user), clock: Clock = realClock) {
  const me = user.username;
  const base = chatBase();
  const connection = createConnection(wire, clock, session.listeners);
  const { http } = session;
  const connected = () => connection.state.get().phase === "connected";
  const tabs = openTabs(`parley.outbox.${me}`);

  const pull: Ask = async (event, payload) => {
    const answer = await connection.ask(event, payload);
    if (event === "room:open") settleAll(answer as Page);
    return answer;
  };
  const fetchPage: FetchPage = async (room, place) => {
    const query = new URLSearchParams({ limit: "100" });
    for (const [key, value] of Object.entries(place)) query.set(key, String(value));
    if ("before" in place) query.set("sparse", "1");
    const page = await http<Page>("GET", `${base}/api/rooms/${encodeURIComponent(room)}/messages?${query}`);
    settleAll(page);
    isReached();
    return page;
  };

  const followers = createFollowers({ ask: pull, fetchPage, clock, connected });
  /** What a person does keeps the session alive, so the warning of its end is out of date. */
  const act: Ask = async (event, payload) => {
    const answer = await connection.ask(event, payload);
    session.slid();
    return answer;
  };
  const outbox = createOutbox({
    user: me, disk: openOutboxDisk(), tabs, ask: act, clock, connected, cursor: followers.cursor,
  });
  const changes = createChanges({ ask: act, image: followers.image });
  const reactions = createReactions({ ask: act, look: connection.ask, image: followers.image, me: user.name });
  const names = createNames();
  names.met(user);
  const rooms = createRooms({ user: me, base, http, ask: connection.ask, clock, met: (people) => people.forEach(names.met) });
  /** Who wants to know of each message as it is pushed. */
  const hearers = new Set<(message: Message) => void>();
  const typing = createTyping({ user: me, ask: connection.ask, clock });

  function settleAll(page: Page) {
    names.page(page);
    for (const message of page.messages) outbox.settle(message);
  }

  connection.on("message:sent", (message) => {
    outbox.settle(message);
    names.said(message);
    followers.sent(message);
    rooms.sent(message);
    for (const hear of hearers) hear(message);
    typing.forget(message.room, message.author);
  });
  connection.on("message:changed", (push) => {
    followers.changed(push);
    rooms.changed(push);
  });
  for (const [event, kind] of [
    ["member:joined", "joined"],
    ["member:left", "left"],
    ["member:removed", "removed"],
    ["room:changed", "room"],
    ["entry:skipped", "tombstone"],
  ] as const) {
    connection.on(event, (push) => {
      if ("user" in push) names.entered(push);
      if ("user" in push && push.user === me && kind === "removed") rooms.putOut(push.room, push.by && names.of(push.by));
      followers.noted(kind, push);
      (kind === "tombstone" ? rooms.skipped : rooms.entered)(push.room, push.generation, push.entry);
      if (kind === "room" && "name" in push) rooms.renamed(push.room, push.name);
    });
  }
  connection.on("room:heads", (heads) => {
    followers.heads(heads);
    rooms.heads(heads);
  });
  connection.on("rooms:changed", () => void rooms.refetch());
  connection.on("room:read", ({ room, seq }) => rooms.wasRead(room, seq));
  connection.on("reaction:mine", followers.mine);
  connection.on("typing", typing.heard);
  connection.on("session:expiring", ({ expires_at }) => session.warn(expires_at));
  connection.on("session:ended", ({ reason }) => {
    if (reason === "logout") session.forget();
    else if (reason === "replaced") void rejoin();
    else session.end(ENDINGS[reason] ?? ENDINGS.expired);
  });

  /**
   * Another tab of this browser signed in again. The word that our session is over may be here before the answer with
   * the new cookie is: nothing is asked with the old one, and a refusal is not believed at once.
   */
  async function rejoin() {
    connection.stop();
    try {
      for (const delay_ms of REJOIN_MS) {
        await new Promise<void>((resolve) => clock.after(delay_ms, resolve));
        if (session.state.get().status === "signed-out" || (await session.look())) return;
      }
      session.end(ENDINGS.expired);
    } catch {
      follow(); // no answer: the connection comes back when there is one, and finds out
    }
  }

  const stops = [
    connection.state.subscribe(() => {
      if (connected()) {
        isReached();
        tabs.lead();
        outbox.resume();
        followers.connected();
        void rooms.refetch();
      } else {
        tabs.release();
        followers.disconnected();
        if (connection.state.get().phase === "waiting") rooms.remember();
      }
    }),
    followers.rooms.subscribe(() => {
      const held = followers.rooms.get();
      outbox.prune(({ room, seq, generation }) => {
        const log = held.get(room)?.log;
        return !log || log.cursor >= seq || (log.generation !== 0 && log.generation !== generation);
      });
    }),
    rooms.list.subscribe(() => {
      const { loaded, rooms: mine } = rooms.list.get();
      if (loaded) for (const room of followers.rooms.get().keys()) if (!mine.has(room)) followers.drop(room);
    }),
    connection.line.subscribe(() => connected() && connection.line.get() === "good" && isReached()),
    session.state.subscribe(follow),
    onVisibility({
      back() {
        connection.watched(true);
        connection.tryNow();
      },
      away() {
        connection.watched(false);
        rooms.tellAll();
      },
      lost: connection.lost,
    }),
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
    hearers.clear();
    followers.dispose();
    rooms.dispose();
    typing.dispose();
    clients.delete(session);
  }

  return {
    user, connection, followers, outbox, changes, reactions, rooms, typing, names, hearers,
    start() {
      void outbox.load();
      follow();
    },
  };
}

interface Moments {
  /** Somebody looks at the page again, or the network is there. */
  back(): void;
  /** The page is hidden or left. */
  away(): void;
  /** The browser says that the network is gone. */
  lost(): void;
}

function onVisibility({ back, away, lost }: Moments): () => void {
  const changed = () => (document.visibilityState === "visible" ? back() : away());
  const online = () => document.visibilityState === "visible" && back();
  const listeners = [[window, "online", online], [window, "offline", lost], [document, "visibilitychange", changed]] as const;
  for (const [where, event, act] of listeners) where.addEventListener(event, act);
  if (document.visibilityState !== "visible") away();
  return () => {
    for (const [where, event, act] of listeners) where.removeEventListener(event, act);
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
