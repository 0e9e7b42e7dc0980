/**
 * People's clients without a page: for each device the real socket.io-client with the follower of follower.mjs.
 * Commands come in as JSON lines, answers and everything heard go out as JSON lines, each with the number of its device;
 * peer.py is the other end.
 */
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { Follower } from "./follower.mjs";

const require = createRequire(new URL("../../frontend/package.json", import.meta.url));
const { io } = require("socket.io-client");

function newDevice(device) {
  const tell = (line) => process.stdout.write(`${JSON.stringify({ device, ...line })}\n`);

  let socket = null;
  let following = false;
  const follower = new Follower(
    (event, payload) => request(event, [payload]),
    () => socket.connected,
    { passed: (state, { seq }) => tell({ heard: "moved", payload: { room: state.room, cursor: seq } }) },
  );
  const outbox = [];
  let sending = false;

  const commands = {
    connect({ url, cookie, origin, user, follow }) {
      socket?.disconnect();
      following = follow;
      const extraHeaders = { ...(cookie && { Cookie: cookie }), ...(origin && { Origin: origin }) };
      socket = io(url, {
        transports: ["websocket"], forceNew: true, extraHeaders, auth: { user }, reconnectionDelay: 100, reconnectionDelayMax: 500,
      });
      socket.on("connect", () => {
        tell({ heard: "connect", payload: null });
        void drain();
      });
      socket.on("connect_error", ({ message, data }) => tell({ heard: "connect_error", payload: data ?? { message } }));
      socket.on("disconnect", (reason) => tell({ heard: "disconnect", payload: reason }));
      socket.onAny((event, payload) => {
        tell({ heard: event, payload });
        if (following) follower.hear(event, payload);
      });
      return {};
    },
    disconnect() {
      socket.disconnect();
      return {};
    },
    /** Breaks the connection without a word, as a lost network does; the client reconnects by itself. */
    cut() {
      socket.io.engine.transport.ws.terminate?.() ?? socket.io.engine.close();
      return {};
    },
    /** Ends as a process that is killed does: without a word, and for good. */
    close() {
      if (!socket) return {};
      socket.offAny();
      socket.off();
      socket.io.reconnection(false);
      socket.io.engine?.transport?.ws?.terminate?.();
      socket.disconnect();
      return {};
    },
    emit: ({ event, args, timeout_ms }) => request(event, args, timeout_ms),
    /** Sends, and lets nobody know the answer. */
    emit_deaf({ event, args }) {
      socket.emit(event, ...args, () => {});
      return {};
    },
    /** Asks so many times at once; each answer is told as `answered`. */
    ask({ event, args, times }) {
      for (let turn = 0; turn < times; turn++) socket.emit(event, ...args, (answer) => tell({ heard: "answered", payload: answer }));
      return {};
    },
    /** Sends all at once, which arrives in this order; each ack is told as `acked`. */
    flood({ room, client_ids, texts }) {
      texts.forEach(async (text, number) => {
        tell({ heard: "acked", payload: await request("message:send", [{ room, client_id: client_ids[number], text, after: 0 }]) });
      });
      return {};
    },
    /** Sends until it is acked, in order, over any number of connections; each ack is told as `acked`. */
    say({ room, client_id, text }) {
      outbox.push({ room, client_id, text });
      void drain();
      return {};
    },
    state({ room }) {
      const { generation, cursor, head, transcript, snapshots, pulls, gaps } = follower.state(room);
      return { generation, cursor, head, transcript, snapshots: [...snapshots.values()].sort((a, b) => a.seq - b.seq), pulls, gaps };
    },
  };

  async function request(event, args, timeout_ms = 60_000) {
    try {
      return await socket.timeout(timeout_ms).emitWithAck(event, ...args);
    } catch {
      return { lost: true };
    }
  }

  async function drain() {
    if (sending) return;
    sending = true;
    while (outbox.length > 0 && socket.connected) {
      const { room, client_id, text } = outbox[0];
      const answer = await request("message:send", [{ room, client_id, text, after: follower.state(room).cursor }], 3_000);
      if (answer.lost || answer.error?.retry) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        continue;
      }
      outbox.shift();
      tell({ heard: "acked", payload: answer });
    }
    sending = false;
  }

  return { tell, commands };
}

const devices = new Map();

createInterface({ input: process.stdin }).on("line", async (line) => {
  const { device, id, command, ...rest } = JSON.parse(line);
  if (!devices.has(device)) devices.set(device, newDevice(device));
  const { tell, commands } = devices.get(device);
  try {
    tell({ id, answer: await commands[command](rest) });
  } catch (error) {
    tell({ id, error: String(error.stack) });
  }
  if (command === "close") devices.delete(device);
}).on("close", () => process.exit());
