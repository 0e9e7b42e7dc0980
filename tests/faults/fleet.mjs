/**
 * Many people's devices in one process: the real socket.io-client, the follower of docs/protocol.md and an outbox each.
 * Commands come in as JSON lines on stdin and are answered on stdout; what happens to every device goes as JSON lines
 * into the file named by the first argument. fleet.py is the other end and describes both.
 */
import { openSync, writeSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { Follower } from "../e2e/follower.mjs";
import { acked as told } from "./acked.mjs";

const require = createRequire(new URL("../../frontend/package.json", import.meta.url));
const { io } = require("socket.io-client");

const SEND_WITHIN_MS = 30_000;
const ACK_WITHIN_MS = 3_000;
const RESEND_MS = 200;
const RECONNECT_MS = [100, 500];
const REFUSED_MS = 700;
const FLUSH_MS = 200;
const REMEMBERED = 20;

const file = openSync(process.argv[2], "a");
const lines = [];
const seed = Number(process.argv[3] ?? 0);
const dice = random(seed);
const devices = new Map();
let loseAcks = 0;
let load = null;
let acked = 0;

/** mulberry32: the same seed throws the same again. */
function random(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function note(e, c, facts) {
  lines.push(JSON.stringify({ t: Date.now(), e, c, ...facts }));
}

function flush() {
  if (lines.length > 0) writeSync(file, `${lines.splice(0).join("\n")}\n`);
}

const pick = (list) => list[Math.floor(dice() * list.length)];
const between = ([low, high]) => low + dice() * (high - low);
const short = ({ seq, rev, author, client_id, text, deleted, reactions = {}, mood }) => ({ seq, rev, author, client_id, text, deleted: Boolean(deleted), reactions, mood });
const EMOJI = ["👍", "🎉"];

class Device {
  connection = 0;
  lanes = new Map();
  said = new Map();
  ends = new Map();
  stopped = false;
  refused = false;

  constructor({ client, user, cookie, urls, local_address, in_flight }) {
    Object.assign(this, { client, user, cookie, urls, local_address, in_flight: in_flight ?? 1 });
    this.forget();
  }

  note(e, facts) {
    note(e, this.client, facts);
  }

  /** All that is not on disk goes: a crash, a reload. */
  forget() {
    this.follower = new Follower((event, payload) => this.ask(event, payload, 10_000), () => this.socket?.connected, {
      page: (state, page, after, asked) => this.note("page", {
        n: this.connection, room: state.room, after, asked, gap: Boolean(page.gap),
        entries: page.entries.map(({ seq }) => seq), snapshots: page.messages.map(short),
      }),
      reset: ({ room }) => this.note("reset", { room }),
    });
  }

  connect() {
    clearTimeout(this.timer);
    this.close();
    this.stopped = false;
    const url = pick(this.urls);
    const number = ++this.connection;
    const socket = io(url, {
      transports: ["websocket"], forceNew: true, reconnection: false, auth: { user: this.user }, timeout: 8_000,
      extraHeaders: { Origin: url, ...(this.cookie && { Cookie: this.cookie }) },
      ...(this.local_address && { localAddress: this.local_address }),
    });
    this.socket = socket;
    let wait = 0;
    const again = (ms) => {
      if (this.socket !== socket || this.stopped) return;
      this.timer = setTimeout(() => this.connect(), ms);
    };
    socket.on("connect", () => {
      this.note("connect", { n: number, url });
      this.refused = false;
      for (const lane of this.lanes.values()) this.drain(lane);
    });
    socket.on("connect_error", ({ message, data }) => {
      const code = data?.error?.code ?? data?.code ?? message;
      this.note("unconnected", { n: number, code });
      this.refused = code === "unauthenticated";
      again(data ? REFUSED_MS : between(RECONNECT_MS));
    });
    socket.on("disconnect", (reason) => {
      this.note("disconnect", { n: number, reason });
      again(wait || between(RECONNECT_MS));
    });
    socket.onAny((event, payload) => {
      if (event === "server:restarting") wait = payload.reconnect_in_ms;
      if (event === "session:ended") this.note("session_ended", { n: number, reason: payload.reason });
      const told = this.follower.hear(event, payload);
      if (told) {
        const [room, entry, snapshot] = told;
        this.note("push", { n: number, room, entry, kind: event, ...(snapshot && { snapshot: short(snapshot) }) });
      }
    });
  }

  /** Breaks the connection without a word, as a lost network does. */
  cut() {
    this.socket?.io.engine?.transport?.ws?.terminate?.();
  }

  close() {
    this.stopped = true;
    clearTimeout(this.timer);
    this.socket?.disconnect();
  }

  crash() {
    this.note("crash", {});
    this.cut();
    this.forget();
    for (const lane of this.lanes.values()) for (const item of lane) item.attempt = null;
    if (!this.stopped) this.connect();
  }

  async ask(event, payload, timeout_ms) {
    try {
      return await this.socket.timeout(timeout_ms).emitWithAck(event, payload);
    } catch {
      return { lost: true };
    }
  }

  queue(event, payload) {
    const item = { event, payload, attempt: null };
    if (!this.lanes.has(payload.room)) this.lanes.set(payload.room, []);
    const lane = this.lanes.get(payload.room);
    lane.push(item);
    const { room, client_id, text, seq, emoji } = payload;
    this.note("send", { event, room, client_id, text, seq, emoji, in_flight: this.in_flight });
    item.timer = setTimeout(() => this.end(lane, item, "unknown", {}), SEND_WITHIN_MS);
    this.drain(lane);
  }

  drain(lane) {
    for (const item of lane.slice(0, this.in_flight)) {
      if (item.attempt === null && this.socket?.connected) void this.attempt(lane, item);
    }
  }

  async attempt(lane, item) {
    const attempt = (item.attempt = {});
    const { room, client_id } = item.payload;
    this.note("try", { n: this.connection, room, client_id });
    const payload = item.event === "message:send" ? { ...item.payload, after: this.follower.state(room).cursor } : item.payload;
    const asked = this.ask(item.event, payload, ACK_WITHIN_MS);
    if (dice() < loseAcks) setTimeout(() => this.cut(), dice() * 30);
    const answer = await asked;
    if (item.attempt !== attempt) return;
    if (answer.ok) {
      const { seq, rev } = told(item.event, item.payload, answer);
      this.remember(item, { seq });
      this.end(lane, item, "ack", { seq, rev });
    } else if (answer.lost || answer.error.retry || answer.error.code === "unauthenticated") {
      setTimeout(() => {
        if (item.attempt === attempt) item.attempt = null;
        this.drain(lane);
      }, RESEND_MS);
    } else this.end(lane, item, "refused", { code: answer.error.code });
  }

  end(lane, item, outcome, facts) {
    const place = lane.indexOf(item);
    if (place < 0) return;
    lane.splice(place, 1);
    item.attempt = {};
    clearTimeout(item.timer);
    const { room, client_id } = item.payload;
    this.note(outcome, { room, client_id, event: item.event, ...facts });
    this.ends.set(client_id, { outcome, ...facts });
    if (outcome === "ack") acked++;
    this.drain(lane);
  }

  remember({ event, payload }, { seq }) {
    if (event !== "message:send") return;
    const said = this.said.get(payload.room) ?? [];
    said.push(seq);
    this.said.set(payload.room, said.slice(-REMEMBERED));
  }

  /** What a person does next: mostly a message, now and then a reaction to one, or an edit or a deletion of an earlier one. */
  act(room, number, { edits, deletes, reacts }) {
    const client_id = `${this.client}-${number}`;
    const said = this.said.get(room) ?? [];
    const chance = dice();
    if (said.length > 0 && chance < edits) this.queue("message:edit", { room, client_id, seq: pick(said), text: `edit ${client_id}` });
    else if (said.length > 0 && chance < edits + deletes) {
      const [seq] = said.splice(Math.floor(dice() * said.length), 1);
      this.queue("message:delete", { room, client_id, seq });
    } else if (chance > 1 - reacts && this.follower.state(room).snapshots.size > 0) {
      const { seq } = pick([...this.follower.state(room).snapshots.values()].slice(-5));
      this.queue(dice() < 0.7 ? "reaction:add" : "reaction:remove", { room, client_id, seq, emoji: pick(EMOJI) });
    } else this.queue("message:send", { room, client_id, text: `text ${client_id}` });
  }
}

const some = (clients) => (clients ? clients.map((client) => devices.get(client)) : [...devices.values()]);

const commands = {
  add(settings) {
    const device = new Device(settings);
    devices.set(device.client, device);
    device.note("device", { user: device.user });
    device.connect();
  },
  sign_in({ client, cookie }) {
    const device = devices.get(client);
    device.cookie = cookie;
    device.refused = false;
    device.note("signed_in", {});
    device.connect();
  },
  say({ client, room, client_id, text }) {
    devices.get(client).queue("message:send", { room, client_id, text });
  },
  edit({ client, room, client_id, seq, text }) {
    devices.get(client).queue("message:edit", { room, client_id, seq, text });
  },
  delete({ client, room, client_id, seq }) {
    devices.get(client).queue("message:delete", { room, client_id, seq });
  },
  /** One request outside the outbox; a page that it brings is a delivery like any other. */
  async ask({ client, event, payload }) {
    const device = devices.get(client);
    const asked = Date.now();
    const answer = await device.ask(event, payload, ACK_WITHIN_MS);
    if (answer.ok && answer.entries) {
      const [entries, snapshots] = [answer.entries.map(({ seq }) => seq), answer.messages.map(short)];
      device.note("page", { n: device.connection, room: payload.room, after: payload.after ?? 0, asked, gap: false, entries, snapshots });
    }
    return answer;
  },
  load(settings) {
    clearInterval(load);
    load = null;
    const rooms = Object.entries(settings.rooms ?? {}).filter(([, clients]) => clients.length > 0);
    if (!settings.per_s || rooms.length === 0) return;
    const { per_s, edits = 0, deletes = 0, reacts = 0 } = settings;
    load = setInterval(() => {
      const [room, clients] = pick(rooms);
      devices.get(pick(clients)).act(room, commands.number++, { edits, deletes, reacts });
    }, 1000 / per_s);
  },
  lose_acks({ share }) {
    loseAcks = share;
  },
  cut({ clients }) {
    for (const device of some(clients)) device.cut();
  },
  crash({ clients }) {
    for (const device of some(clients)) device.crash();
  },
  disconnect({ clients }) {
    for (const device of some(clients)) {
      device.note("away", {});
      device.close();
    }
  },
  connect({ clients }) {
    for (const device of some(clients)) {
      device.note("back", {});
      device.connect();
    }
  },
  state() {
    return Object.fromEntries([...devices].map(([client, device]) => [client, {
      connected: Boolean(device.socket?.connected),
      away: device.stopped || device.refused,
      pending: [...device.lanes.values()].reduce((sum, lane) => sum + lane.length, 0),
      cursors: Object.fromEntries([...device.follower.rooms].map(([room, { cursor }]) => [room, cursor])),
    }]));
  },
  acked: () => acked,
  ended: ({ client, client_id }) => devices.get(client).ends.get(client_id),
  said: ({ client, room }) => devices.get(client).said.get(room) ?? [],
  /** Writes down what every device holds. */
  transcripts() {
    for (const device of devices.values()) {
      for (const { room, transcript, snapshots } of device.follower.rooms.values()) {
        device.note("transcript", { room, entries: transcript, snapshots: [...snapshots.values()].map(short) });
      }
    }
    flush();
  },
};
Object.defineProperty(commands, "number", { value: 1, writable: true });

setInterval(flush, FLUSH_MS);
createInterface({ input: process.stdin }).on("line", async (line) => {
  const { id, command, ...rest } = JSON.parse(line);
  let told;
  try {
    told = { id, answer: (await commands[command](rest)) ?? null };
  } catch (error) {
    told = { id, error: String(error.stack) };
  }
  process.stdout.write(`${JSON.stringify(told)}\n`);
}).on("close", () => {
  flush();
  process.exit();
});
