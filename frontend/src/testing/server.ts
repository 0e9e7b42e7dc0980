/**
 * `vite --mode fake`: the chat of fakeChat.ts behind the routes and events of docs/protocol.md, on Vite's own server.
 */
import { randomBytes } from "node:crypto";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { Server as SocketServer, type Socket } from "socket.io";
import type { Plugin } from "vite";
import { FakeChat, Refusal, refuse } from "./fakeChat.ts";
import { fill } from "./scenery.ts";

interface Body {
  [key: string]: unknown;
}

const CSP =
  "default-src 'self'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self' ws: wss:; " +
  "base-uri 'none'; frame-ancestors 'none'";

export function fakeServer(): Plugin {
  const chat = new FakeChat();
  const sessions = new Map<string, string>();
  let refusing: string | null = null;
  fill(chat);

  const cookieOf = (request: IncomingMessage) => /(?:^|; )parley=(\w+)/.exec(request.headers.cookie ?? "")?.[1] ?? "";
  const userOf = (request: IncomingMessage) => {
    const username = sessions.get(cookieOf(request));
    const user = username === undefined ? undefined : chat.users.get(username);
    if (!user) throw refuse(401, "unauthenticated", "Please sign in.");
    const believed = decodeURIComponent(String(request.headers["x-parley-user"] ?? ""));
    if (believed && believed !== user.username) {
      throw refuse(409, "user_mismatch", "You are signed in as somebody else in this browser now. Reload the page.");
    }
    return { username: user.username, name: user.name };
  };
  const session = (user: object) => ({ user, session: { expires_at: Math.floor(Date.now() / 1000) + 1800 } });

  function serve(http: Server) {
    const io = new SocketServer(http, { path: "/socket.io/", transports: ["websocket"], destroyUpgrade: false });
    chat.tell = (user, event, payload) => void io.to(user).emit(event, payload);
    io.use((socket, next) => {
      try {
        socket.data.user = userOf(socket.request).username;
        next();
      } catch (thrown) {
        next(Object.assign(new Error("refused"), { data: (thrown as Refusal).body }));
      }
    });
    io.on("connection", (socket) => connected(socket));
    return io;
  }

  function connected(socket: Socket) {
    const user = socket.data.user as string;
    const on = (event: string, act: (payload: never) => object) =>
      socket.on(event, (payload, ack?: (answer: object) => void) => {
        try {
          if (refusing && event === "message:send")
            throw refuse(400, refusing, "The server did not take this message.");
          ack?.({ ok: true, ...act(payload as never) });
        } catch (thrown) {
          ack?.({ ok: false, error: (thrown as Refusal).body });
        }
      });
    void socket.join(user);
    socket.emit("room:heads", chat.heads(user));
    socket.on("ping", (_payload, ack?: () => void) => ack?.());
    on("message:send", (payload) => ({ message: chat.send(user, payload) }));
    on("message:edit", (payload) => ({ message: chat.change(user, payload) }));
    on("message:delete", ({ room, seq }: { room: string; seq: number }) => ({
      message: chat.change(user, { room, seq }),
    }));
    on("reaction:add", (payload) => ({ message: chat.react(user, payload, true) }));
    on("reaction:remove", (payload) => ({ message: chat.react(user, payload, false) }));
    on("reaction:list", (payload) => ({ reactions: chat.whoReacted(user, payload) }));
    on("room:open", (payload) => chat.open(user, payload));
    on("room:read", (payload) => ({ seq: chat.read(user, payload) }));
    on("typing:start", ({ room }: { room: string }) => typing(socket, user, room, true));
    on("typing:stop", ({ room }: { room: string }) => typing(socket, user, room, false));
  }

  function typing(socket: Socket, user: string, room: string, is: boolean) {
    for (const member of chat.mine(user, room).members) {
      if (member !== user)
        socket.to(member).emit("typing", { room, user, name: chat.users.get(user)?.name, typing: is });
    }
    return {};
  }

  function route(
    request: IncomingMessage, response: ServerResponse, url: URL, body: Body, io: SocketServer,
  ): [number, object?] {
    const { username, password } = body as { username: string; password: string };
    const key = `${request.method} ${url.pathname}`;
    if (key === "POST /api/auth/register") return [201, { user: chat.register(username, password) }];
    if (key === "POST /api/auth/login") {
      const user = chat.login(username, password);
      const id = randomBytes(16).toString("hex");
      sessions.set(id, user.username);
      response.setHeader("Set-Cookie", `parley=${id}; HttpOnly; SameSite=Lax; Path=/`);
      return [200, session(user)];
    }
    if (key === "POST /api/auth/logout") {
      const user = sessions.get(cookieOf(request));
      sessions.delete(cookieOf(request));
      if (user) io.to(user).emit("session:ended", { reason: "logout" });
      return [204];
    }
    if (key === "POST /api/fake") return control(body, io);
    const user = userOf(request);
    if (key === "GET /api/auth/protected" || key === "POST /api/auth/stay") return [200, session(user)];
    if (key === "GET /api/auth/sessions") return [200, { sessions: [device(user)] }];
    return roomRoute(key, user.username, url, body);
  }

  /** This server knows no devices but the one that asks. */
  function device(user: object) {
    const { expires_at } = session(user).session;
    return {
      id: "this", current: true, device: "Firefox on Linux", began_at: Math.round(chat.now_ms() / 1000), expires_at,
    };
  }

  function control({ act, user, payload }: Body, io: SocketServer): [number] {
    if (act === "drop") io.disconnectSockets(true);
    if (act === "emit") io.to(String(user)).emit(String((payload as Body).event), (payload as Body).data);
    if (act === "refuse") refusing = typeof payload === "string" ? payload : null;
    if (act === "say") {
      const { room, text } = payload as { room: string; text: string };
      chat.send(String(user), { room, text, client_id: randomBytes(8).toString("hex") });
    }
    if (act === "expire") {
      sessions.clear();
      io.emit("session:ended", { reason: "expired" });
      io.disconnectSockets(true);
    }
    return [204];
  }

  function roomRoute(key: string, user: string, url: URL, body: Body): [number, object?] {
    if (key === "GET /api/rooms") return [200, chat.list(user)];
    if (key === "POST /api/rooms") {
      const made = chat.makeRoom(
        String(body.name).toLowerCase().replace(/\s+/g, "-"), String(body.name), body.kind as "public", user,
      );
      return [201, { room: chat.describe(user, made) }];
    }
    const [, method, id = "", act] = /^(\w+) \/api\/rooms\/([^/]+)\/(\w+)$/.exec(key) ?? [];
    const number = (name: string) => Number(url.searchParams.get(name)) || 0;
    const limit = number("limit") || 50;
    if (method === "POST" && act === "join") {
      chat.membership(id, user, "joined");
      return [200, { room: chat.describe(user, chat.mine(user, id)) }];
    }
    const room = chat.mine(user, id);
    if (act === "members") return [200, { members: [...room.members].map((name) => chat.users.get(name)) }];
    if (act === "leave") return chat.membership(id, user, "left"), [204];
    if (act === "invite") return chat.membership(id, String(body.username).toLowerCase(), "joined", user), [204];
    if (act === "remove") return chat.membership(id, String(body.username), "removed", user), [204];
    if (method === "GET" && act === "messages") {
      if (number("after")) return [200, chat.after(user, id, number("after"), limit)];
      if (number("around")) return [200, chat.around(user, id, number("around"), limit)];
      return [200, chat.before(user, id, number("before") || room.log.length + 1, limit)];
    }
    throw refuse(404, "not_found", "There is nothing here.");
  }

  function answer(io: SocketServer) {
    return (request: IncomingMessage, response: ServerResponse, next: () => void) => {
      const url = new URL(request.url ?? "/", "http://localhost");
      if (!url.pathname.startsWith("/api/")) return next();
      let text = "";
      request.on("data", (part: Buffer) => (text += part.toString()));
      request.on("end", () => {
        let [status, body]: [number, object?] = [500];
        try {
          [status, body] = route(request, response, url, JSON.parse(text || "{}") as Body, io);
        } catch (thrown) {
          if (!(thrown instanceof Refusal)) throw thrown;
          [status, body] = [
            thrown.status,
            { error: thrown.body, ...(thrown.status === 401 ? { redirect: "/login" } : {}) },
          ];
        }
        response.statusCode = status;
        response.setHeader("Content-Type", "application/json");
        response.end(body ? JSON.stringify(body) : undefined);
      });
    };
  }

  return {
    name: "fake-server",
    configureServer: (vite) => void (vite.httpServer && vite.middlewares.use(answer(serve(vite.httpServer as Server)))),
    configurePreviewServer(vite) {
      vite.middlewares.use((_request, response, next) => {
        response.setHeader("Content-Security-Policy", CSP);
        next();
      });
      vite.middlewares.use(answer(serve(vite.httpServer as Server)));
    },
  };
}
