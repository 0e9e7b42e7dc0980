/**
 * A person's client without a page: the real socket.io-client with the smallest follower that docs/protocol.md allows.
 * Commands come in as JSON lines, answers and everything heard go out as JSON lines; peer.py is the other end.
 */
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(new URL("../../frontend/package.json", import.meta.url));
const { io } = require("socket.io-client");

const MISSING_MS = 300;
const tell = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

let socket = null;
let following = false;
/** room → {generation, cursor, head, transcript, images, pulling, pulls, gaps} */
const rooms = new Map();
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
      if (following) follow_(event, payload);
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
  emit: ({ event, args, timeout_ms }) => request(event, args, timeout_ms),
  /** Sends, and lets nobody know the answer. */
  emit_deaf({ event, args }) {
    socket.emit(event, ...args, () => {});
    return {};
  },
  /** Sends until it is acked, in order, over any number of connections; each ack is told as `acked`. */
  say({ room, client_id, text }) {
    outbox.push({ room, client_id, text });
    void drain();
    return {};
  },
  state({ room }) {
    const { generation, cursor, head, transcript, images, pulls, gaps } = stateOf(room);
    return { generation, cursor, head, transcript, images: [...images.values()].sort((a, b) => a.seq - b.seq), pulls, gaps };
  },
};

async function request(event, args, timeout_ms = 10_000) {
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
    const answer = await request("message:send", [{ room, client_id, text, after: stateOf(room).cursor }], 3_000);
    if (answer.lost || answer.error?.retry) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      continue;
    }
    outbox.shift();
    tell({ heard: "acked", payload: answer });
  }
  sending = false;
}

function stateOf(room) {
  if (!rooms.has(room)) {
    rooms.set(room, {
      room, generation: 0, cursor: 0, head: 0, transcript: [], images: new Map(), ahead: false, pulling: false, pulls: [], gaps: 0,
    });
  }
  return rooms.get(room);
}

function follow_(event, payload) {
  if (event === "room:heads") {
    for (const [room, [generation, head]] of Object.entries(payload)) {
      const state = stateOf(room);
      state.generation ||= generation;
      state.head = Math.max(state.head, head);
      if (head > state.cursor) void pull(state);
    }
  } else if (payload?.room && (payload.entry ?? payload.seq) && event !== "room:read") {
    const state = stateOf(payload.room);
    const image = event === "message:sent" ? payload : payload.message;
    advance(state, { seq: payload.entry ?? payload.seq, kind: event }, image);
  }
}

/** A live entry: the next one moves the cursor, a later one means that something is missing. */
function advance(state, entry, image) {
  state.head = Math.max(state.head, entry.seq);
  if (image) hold(state, image);
  if (entry.seq <= state.cursor) return;
  if (entry.seq === state.cursor + 1) pass(state, entry, image);
  else if (!state.ahead) {
    state.ahead = true;
    setTimeout(() => {
      state.ahead = false;
      if (state.head > state.cursor) void pull(state);
    }, MISSING_MS);
  }
}

function pass(state, { seq, kind }, image) {
  state.cursor = seq;
  const said = image && image.seq === seq;
  state.transcript.push(said ? { seq, client_id: image.client_id, author: image.author, text: image.text } : { seq, kind });
  tell({ heard: "moved", payload: { room: state.room, cursor: seq } });
}

function hold(state, image) {
  const known = state.images.get(image.seq);
  if (!known || known.rev < image.rev) state.images.set(image.seq, image);
}

/** Page after page until nothing is missing. */
async function pull(state) {
  if (state.pulling) return;
  state.pulling = true;
  for (let turns = 0; turns < 200 && socket.connected && state.cursor < state.head; turns++) {
    const page = await request("room:open", [{ room: state.room, after: state.cursor }]);
    if (!page.ok) break;
    state.pulls.push(page.messages.length);
    if (page.gap) {
      state.gaps++;
      state.transcript = [];
      state.images.clear();
      state.cursor = (page.entries[0]?.seq ?? page.head + 1) - 1;
    } else if (state.cursor === 0 && page.entries.length > 0) state.cursor = page.entries[0].seq - 1;
    state.head = Math.max(state.head, page.head);
    for (const image of page.messages) hold(state, image);
    const images = new Map(page.messages.map((image) => [image.seq, image]));
    for (const entry of page.entries) if (entry.seq === state.cursor + 1) pass(state, entry, images.get(entry.seq));
    if (page.entries.length === 0) await new Promise((resolve) => setTimeout(resolve, 100));
  }
  state.pulling = false;
}

createInterface({ input: process.stdin }).on("line", async (line) => {
  const { id, command, ...rest } = JSON.parse(line);
  try {
    tell({ id, answer: await commands[command](rest) });
  } catch (error) {
    tell({ id, error: String(error.stack) });
  }
}).on("close", () => process.exit());
