/**
 * Many sockets in one process, each the real socket.io-client: what reached each last, and how it ended.
 * Commands come in as JSON lines, answers go out as JSON lines; sockets.py is the other end. Times are milliseconds
 * since 1970 by a clock that does not jump.
 */
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(new URL("../../frontend/package.json", import.meta.url));
const { io } = require("socket.io-client");

const CONTROL = new Set(["session:ended", "session:expiring", "server:restarting", "rooms:changed"]);
const now = () => performance.timeOrigin + performance.now();
/** id → {socket, content_at, written_at, contents, ended_at, reason, closed_at, acked, refused}; `written_at` is when the
 * newest message that came was written, by the product's clock. */
const clients = new Map();

const commands = {
  /** Connects, and answers when it is connected. */
  open: ({ id, url, cookie, reconnects }) =>
    new Promise((resolve, reject) => {
      const socket = io(url, {
        transports: ["websocket"], forceNew: true, reconnection: reconnects, extraHeaders: { Cookie: cookie, Origin: url },
      });
      const client = {
        socket, content_at: 0, written_at: 0, contents: 0, ended_at: 0, reason: null, closed_at: 0, acked: 0, refused: 0,
      };
      clients.set(id, client);
      socket.on("connect", () => resolve({}));
      socket.on("connect_error", (error) => {
        if (error.data?.retry) setTimeout(() => socket.connect(), 500);
        else reject(new Error(JSON.stringify(error.data ?? error.message)));
      });
      socket.on("disconnect", (why) => {
        client.closed_at = now();
        if (reconnects && why === "io server disconnect") setTimeout(() => socket.connect(), 500);
      });
      socket.onAny((event, payload) => {
        if (event === "session:ended") Object.assign(client, { ended_at: now(), reason: payload.reason });
        else if (!CONTROL.has(event)) {
          Object.assign(client, { content_at: now(), contents: client.contents + 1 });
          if (event === "message:sent") client.written_at = Math.max(client.written_at, payload.created_at_ms);
        }
      });
    }),
  /** Sends for ever, one message each `every_ms`, over the socket `id`. */
  chatter({ id, room, every_ms }) {
    const client = clients.get(id);
    let turn = 0;
    setInterval(() => {
      if (!client.socket.connected) return;
      const message = { room, client_id: `${id}-${turn}`, text: `traffic ${turn++}`, after: 0 };
      client.socket.timeout(10_000).emit("message:send", message, (error, answer) => {
        if (!error && answer.ok) client.acked++;
        else client.refused++;
      });
    }, every_ms);
    return {};
  },
  report: ({ ids }) => Object.fromEntries(ids.map((id) => [id, { ...clients.get(id), socket: undefined }])),
  forget({ ids }) {
    for (const id of ids) {
      clients.get(id)?.socket.disconnect();
      clients.delete(id);
    }
    return {};
  },
};

createInterface({ input: process.stdin }).on("line", async (line) => {
  const { number, command, ...rest } = JSON.parse(line);
  try {
    process.stdout.write(`${JSON.stringify({ number, answer: await commands[command](rest) })}\n`);
  } catch (error) {
    process.stdout.write(`${JSON.stringify({ number, error: String(error.message) })}\n`);
  }
}).on("close", () => process.exit());
