/**
 * Many people's clients in one process: the real socket.io-client with the smallest follower and the smallest durable
 * outbox that docs/protocol.md allows. Commands come in as JSON lines, one answer each goes out; crowd.py is the other
 * end. What happens to each goes into the history, a file in the form that fleet.py describes and checker.py judges.
 * What a client would keep on disk (its outbox) survives its crash here, what it would not (what it has read) does not.
 */
import { openSync, writeSync } from "node:fs";
import http from "node:http";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { acked } from "./acked.mjs";

const require = createRequire(new URL("../../frontend/package.json", import.meta.url));
const { io } = require("socket.io-client");

const ACK_TIMEOUT_MS = 5_000;
const PATIENCE_MS = 10_000; // with a connect or a request by HTTP: as long as the page has
const LONGEST_PAUSE_MS = 2_000;
const MISSING_MS = 700;
const IN_SYNC_WITHIN_MS = 1_000;
const LINGER_MS = 6_000;
const SEND_WITHIN_MS = 30_000;
const FLUSH_MS = 200;
const PASSWORD = "correct horse battery";

const now = () => performance.now();
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const jitter = (ms) => ms * (0.5 + Math.random());
/** Longer each time: who knocks at once again at a server that is busy keeps it busy. */
const backoff = (attempt) => jitter(Math.min(LONGEST_PAUSE_MS, 300 * 2 ** Math.min(attempt, 10)));
const short = ({ seq, rev, author, client_id, text, deleted, reactions = {} }) => ({ seq, rev, author, client_id, text, deleted: Boolean(deleted), reactions });
const EMOJI = ["👍", "🎉"];
const NOT_ENTRIES = new Set(["room:read", "reaction:mine"]);

let options;
let dice;
let calm = true;
let loading = null;
let moves = 0; // guests on their way out, or in
const clients = [];
/** room → {owner, regulars, guests: {name: inside}} */
const rooms = new Map();
/** room → [[when, seq], …]: what anybody knows of its head, the older the earlier */
const known = new Map();
const sentAt = new Map();
const figures = { sent: 0, acked: 0, refused: 0, given_up: 0, deliveries: 0, latencies: [], ackLatencies: [], longest_ms: 0, connects: 0, logins: 0, retries: {} };
const sends = [];

let file;
const lines = [];

function note(e, c, facts) {
  lines.push(JSON.stringify({ t: Date.now(), e, c, ...facts }));
}

function flush() {
  if (lines.length > 0) writeSync(file, `${lines.splice(0).join("\n")}\n`);
}

/** A small seeded generator (mulberry32), so that a seed sends the same again. */
function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
const pick = (list) => list[Math.floor(dice() * list.length)];

function retried(why) {
  figures.retries[why] = (figures.retries[why] ?? 0) + 1;
}

function learn(room, seq) {
  const list = known.get(room) ?? known.set(room, []).get(room);
  if (list.length === 0 || list[list.length - 1][1] < seq) list.push([now(), seq]);
  if (list.length > 500) list.splice(0, 250);
}

/** The highest number of the room that somebody has known for a second. */
function due(room, patience_ms = IN_SYNC_WITHIN_MS) {
  const list = known.get(room) ?? [];
  for (let k = list.length - 1; k >= 0; k--) if (list[k][0] <= now() - patience_ms) return list[k][1];
  return 0;
}

class Client {
  constructor(name, source) {
    this.name = name;
    this.source = source;
    this.cookie = "";
    this.socket = null;
    this.entering = false;
    this.away = false;
    this.connection = 0;
    this.failures = 0; // to connect, in a row
    this.outboxes = new Map();
    this.rooms = new Map();
    this.mine = [];
    this.counter = 0;
    this.silent = 0;
    this.logouts = 0;
  }

  note(e, facts) {
    note(e, this.name, facts);
  }

  newId() {
    return `${this.name}-${this.counter++}`;
  }

  // --- HTTP ---------------------------------------------------------------------------------------------------------

  ask(method, path, body, cookie = this.cookie, timeout = PATIENCE_MS) {
    return new Promise((resolve) => {
      const request = http.request(
        { host: "127.0.0.1", port: options.port, localAddress: this.source, method, path, timeout, agent: false, headers: { "Content-Type": "application/json", Origin: options.url, ...(cookie && { Cookie: cookie }) } },
        (response) => {
          let text = "";
          response.on("data", (piece) => (text += piece));
          response.on("end", () => {
            const cookie = response.headers["set-cookie"]?.[0]?.split(";")[0];
            if (cookie) this.cookie = cookie;
            resolve({ status: response.statusCode, body: text.startsWith("{") ? JSON.parse(text) : {} });
          });
          response.on("error", () => resolve({ status: 0, body: {} }));
        },
      );
      request.on("timeout", () => request.destroy(new Error("timeout")));
      request.on("error", () => resolve({ status: 0, body: {} }));
      request.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  /** The same request until it is answered for good; a write carries its client_id, so that it is carried out once. */
  async insist(method, path, body, cookie) {
    for (let attempt = 0; ; attempt++) {
      const answer = await this.ask(method, path, body, cookie);
      if (answer.status === 401 && !path.startsWith("/api/auth")) await this.login();
      else if (answer.status !== 0 && answer.status < 500 && answer.status !== 429) return answer;
      retried(`http ${answer.status} ${answer.body.error?.code ?? ""}`);
      await sleep(backoff(attempt));
    }
  }

  async register() {
    const answer = await this.insist("POST", "/api/auth/register", { username: this.name, password: PASSWORD });
    if (answer.status !== 201 && answer.body.error?.code !== "username_taken") throw new Error(`register: ${JSON.stringify(answer)}`);
    await this.login();
  }

  async login() {
    this.cookie = "";
    const answer = await this.insist("POST", "/api/auth/login", { username: this.name, password: PASSWORD });
    if (answer.status !== 200) throw new Error(`login: ${JSON.stringify(answer)}`);
    this.note("signed_in", {});
    figures.logins++;
  }

  /** Ends the session of its socket, which need not be the newest: who is refused by HTTP signs in again. The socket stays as it is, a device of its own, and hears whatever the server still tells it. */
  async logout() {
    this.away = true;
    const socket = this.socket;
    const left = `${this.name} as it was ${++this.logouts}`;
    const answer = await this.insist("POST", "/api/auth/logout", undefined, socket?.cookie);
    if (answer.status !== 204) throw new Error(`logout: ${JSON.stringify(answer)}`);
    note("device", left, { user: this.name });
    note("revoked", left, {});
    if (socket) socket.device = left;
    await sleep(1_000);
    this.socket = null;
    setTimeout(() => socket?.disconnect(), LINGER_MS);
    this.forget();
    await this.login();
    this.away = false;
    this.connect();
  }

  // --- the socket ---------------------------------------------------------------------------------------------------

  connect() {
    const socket = io(options.url.replace("localhost", "127.0.0.1"), {
      transports: ["websocket"], forceNew: true, multiplex: false, reconnection: false, timeout: PATIENCE_MS,
      localAddress: this.source, extraHeaders: { Cookie: this.cookie, Origin: options.url }, auth: { user: this.name },
    });
    this.socket = socket;
    socket.cookie = this.cookie;
    this.silent = 0;
    this.told = false; // of its rooms, over this connection
    socket.device = this.name;
    const n = ++this.connection;
    let restart_ms = null;
    let over = false; // the session: as the page does, its person signs in before anything else
    const mine = () => this.socket === socket && !this.away;
    const again = async (least_ms) => {
      if (!mine()) return;
      this.socket = null;
      socket.disconnect();
      await sleep(least_ms);
      if (this.socket === null && !this.away) this.connect();
    };
    const enter = async () => {
      if (!mine()) return;
      this.socket = null;
      await this.login();
      if (this.socket === null && !this.away) this.connect();
    };
    socket.on("connect", () => {
      this.failures = 0;
      figures.connects++;
      this.note("connect", { n, url: options.url });
      for (const room of this.outboxes.keys()) void this.drain(room);
    });
    socket.on("connect_error", async (error) => {
      this.note("unconnected", { n, code: error.data?.code ?? error.message });
      if (!mine()) return;
      retried(`connect ${error.data?.code ?? error.message}`);
      if (error.data?.code === "unauthenticated") await enter();
      else await again(Math.max(backoff(this.failures++), error.data?.retry_after_s ? jitter(1_000) : 0));
    });
    socket.on("disconnect", (reason) => {
      this.note("disconnect", { n, reason });
      if (mine()) retried(`disconnect ${reason}`);
      void (over ? enter() : again(restart_ms ?? jitter(300)));
    });
    socket.on("server:restarting", ({ reconnect_in_ms }) => (restart_ms = reconnect_in_ms));
    socket.onAny((event, payload) => {
      const entry = payload?.entry ?? payload?.seq;
      const snapshot = event === "message:sent" ? payload : payload?.message;
      if (payload?.room && entry && !NOT_ENTRIES.has(event)) {
        note("push", socket.device, { n, room: payload.room, entry, kind: event, ...(snapshot && { snapshot: short(snapshot) }) });
      }
      if (event === "session:ended") {
        over = true;
        note("session_ended", socket.device, { n, reason: payload.reason });
      }
      if (this.socket !== socket) return;
      this.silent = 0;
      this.hear(event, payload);
    });
  }

  /** Loses the connection and all that was read, as a page that is reloaded; the outbox is kept. */
  crash(hard) {
    const socket = this.socket;
    this.socket = null;
    this.note("crash", {});
    this.forget();
    if (socket) {
      if (hard) socket.io.engine?.transport?.ws?.terminate?.();
      socket.disconnect();
    }
    setTimeout(() => {
      if (this.socket === null && !this.away) this.connect();
    }, jitter(500));
  }

  async request(event, payload, within_ms = ACK_TIMEOUT_MS) {
    const socket = this.socket;
    if (!socket?.connected) return { lost: true };
    try {
      return await socket.timeout(within_ms).emitWithAck(event, payload);
    } catch {
      // Two questions in a row that nothing was heard after: the connection is dead, whatever TCP thinks.
      if (this.socket === socket && socket.connected && ++this.silent >= 2) {
        retried("dead connection");
        socket.disconnect();
        this.socket = null;
        this.connect();
      }
      return { lost: true };
    }
  }

  // --- sending ------------------------------------------------------------------------------------------------------

  /** Puts a write into the room's outbox, where one is under way at a time. */
  post(room, event, payload) {
    const item = { client: this.name, room, event, id: this.newId(), payload, at: now(), how: "waiting", calm };
    if (event === "message:send") {
      item.text = payload.text;
      sentAt.set(item.id, item);
    }
    sends.push(item);
    figures.sent++;
    const { text, seq, emoji } = payload;
    this.note("send", { event, room, client_id: item.id, text, seq, emoji, in_flight: 1 });
    if (!this.outboxes.has(room)) this.outboxes.set(room, { items: [], draining: false });
    this.outboxes.get(room).items.push(item);
    void this.drain(room);
  }

  async drain(room) {
    const outbox = this.outboxes.get(room);
    if (outbox.draining) return;
    outbox.draining = true;
    for (let turn = 0; outbox.items.length > 0; turn++) {
      const [item] = outbox.items;
      if (now() - item.at > SEND_WITHIN_MS) {
        this.end(outbox, item, "unknown", {});
        figures.given_up++;
        turn = -1;
        continue;
      }
      if (!this.socket?.connected) {
        await sleep(50);
        continue;
      }
      const state = this.rooms.get(room);
      this.note("try", { n: this.connection, room, client_id: item.id });
      const left_ms = SEND_WITHIN_MS - (now() - item.at);
      const write = { ...item.payload, room, client_id: item.id, after: state?.cursor ?? 0 };
      const answer = await this.request(item.event, write, Math.min(ACK_TIMEOUT_MS, Math.max(100, left_ms)));
      if (answer.lost || answer.error?.retry || answer.error?.code === "unauthenticated") {
        retried(`${item.event} ${answer.error?.code ?? "no answer"}`);
        await sleep(jitter(Math.min(200 * 2 ** Math.min(turn, 3), 1_000)));
        continue;
      }
      turn = -1;
      if (!answer.ok) {
        this.end(outbox, item, "refused", { code: answer.error.code });
        figures.refused++;
        continue;
      }
      const { seq, rev } = acked(item.event, item.payload, answer);
      this.end(outbox, item, "ack", { seq, rev });
      figures.acked++;
      if (calm && item.calm) figures.ackLatencies.push(now() - item.at);
      if (item.event === "message:send") {
        this.mine.push({ room, seq });
        if (this.mine.length > 20) this.mine.shift();
      }
    }
    outbox.draining = false;
  }

  end(outbox, item, how, facts) {
    outbox.items.shift();
    item.how = how;
    figures.longest_ms = Math.max(figures.longest_ms, now() - item.at);
    this.note(how, { event: item.event, room: item.room, client_id: item.id, ...facts });
  }

  // --- following ----------------------------------------------------------------------------------------------------

  hear(event, payload) {
    if (event === "room:heads") this.heads(payload);
    else if (payload?.room && (payload.entry ?? payload.seq) && !NOT_ENTRIES.has(event)) {
      const snapshot = event === "message:sent" ? payload : payload.message;
      const entry = { seq: payload.entry ?? payload.seq, kind: event, user: payload.user };
      this.advance(payload.room, entry, snapshot);
    }
  }

  heads(heads) {
    this.told = true;
    for (const [room, [generation, head]] of Object.entries(heads)) {
      if (room === "general") continue;
      let state = this.rooms.get(room);
      if (state === undefined) this.rooms.set(room, (state = this.segment(room)));
      state.generation ||= generation;
      state.head = Math.max(state.head, head);
      if (head > state.cursor) void this.pull(state);
    }
    for (const [room, state] of this.rooms) {
      if (!(room in heads)) this.close(state);
    }
  }

  segment(room) {
    return { room, generation: 0, cursor: 0, head: 0, first: 0, entries: [], snapshots: new Map(), late: false, pulling: false, open: true };
  }

  /** What a page does with a room that is no longer its own. */
  close(state) {
    state.open = false;
    this.rooms.delete(state.room);
    this.note("reset", { room: state.room });
  }

  forget() {
    for (const state of this.rooms.values()) this.close(state);
  }

  advance(room, entry, snapshot) {
    learn(room, entry.seq);
    const state = this.rooms.get(room);
    if (state === undefined) return;
    state.head = Math.max(state.head, entry.seq);
    if (snapshot) this.hold(state, snapshot);
    if (entry.seq <= state.cursor) return;
    if (entry.seq === state.cursor + 1) {
      if (entry.kind === "message:sent" && snapshot) this.measure(snapshot);
      this.pass(state, entry, snapshot);
      this.leaveAfter(state, entry);
    } else if (!state.late) {
      state.late = true;
      setTimeout(() => {
        state.late = false;
        if (state.open && state.head > state.cursor) void this.pull(state);
      }, jitter(MISSING_MS));
    }
  }

  measure(snapshot) {
    const item = sentAt.get(snapshot.client_id);
    if (calm && item?.calm) figures.latencies.push(now() - item.at);
  }

  pass(state, entry, snapshot) {
    figures.deliveries++;
    if (state.entries.length === 0) state.first = entry.seq;
    state.cursor = entry.seq;
    const { seq, kind } = entry;
    const said = snapshot && snapshot.seq === seq;
    state.entries.push(said ? { seq, client_id: snapshot.client_id, author: snapshot.author } : { seq, kind });
  }

  /** Leaves the room when it is told that this person went. A page is answered to who is in the room: a removal that
   * it speaks of is long over. */
  leaveAfter(state, { user, kind }) {
    if (user === this.name && /left|removed/.test(kind)) this.close(state);
  }

  hold(state, snapshot) {
    const before = state.snapshots.get(snapshot.seq);
    if (!before || before.rev < snapshot.rev) state.snapshots.set(snapshot.seq, short(snapshot));
  }

  async pull(state) {
    if (state.pulling) return;
    state.pulling = true;
    while (state.open && this.socket?.connected && state.cursor < state.head) {
      const asked = Date.now();
      const after = state.cursor;
      const page = await this.request("room:open", { room: state.room, after: state.cursor });
      if (!state.open) break;
      if (!page.ok) {
        retried(`room:open ${page.error?.code ?? "no answer"}`);
        if (page.error?.code === "room_not_found") {
          this.close(state);
          break;
        }
        await sleep(jitter(300));
        continue;
      }
      this.note("page", {
        n: this.connection, room: state.room, after, asked, gap: Boolean(page.gap),
        entries: page.entries.map(({ seq }) => seq), snapshots: page.messages.map(short),
      });
      if (state.cursor > 0 && (page.gap || page.from > state.cursor + 1)) {
        this.note("reset", { room: state.room });
        Object.assign(state, { entries: [], snapshots: new Map(), cursor: 0, first: 0 });
      } else if (after === 0) {
        // The newest page says nothing of what was changed before it: of what was pushed only the newer stays.
        const last = page.entries.at(-1)?.seq ?? 0;
        for (const [seq, snapshot] of state.snapshots) if (snapshot.rev <= last) state.snapshots.delete(seq);
      }
      if (state.cursor === 0 && page.entries.length > 0) state.cursor = page.entries[0].seq - 1;
      state.head = Math.max(state.head, page.head);
      for (const snapshot of page.messages) this.hold(state, snapshot);
      const snapshots = new Map(page.messages.map((snapshot) => [snapshot.seq, snapshot]));
      for (const entry of page.entries) {
        learn(state.room, entry.seq);
        if (state.open && entry.seq === state.cursor + 1) this.pass(state, entry, snapshots.get(entry.seq));
      }
      if (page.entries.at(-1)?.seq !== state.cursor) await sleep(100);
    }
    state.pulling = false;
  }

  get inSync() {
    if (!this.socket?.connected || this.away) return false;
    for (const state of this.rooms.values()) if (state.cursor < due(state.room)) return false;
    return this.told;
  }

  /** Why it is not in sync, for people. */
  get lag() {
    if (!this.socket?.connected) return `${this.name} is not connected`;
    const behind = [...this.rooms.values()].filter((state) => state.cursor < due(state.room));
    const places = behind.map(({ room, cursor, head, pulling }) => `${room} at ${cursor} of ${due(room)}, told of ${head}${pulling ? ", pulling" : ""}`);
    return `${this.name} (connection ${this.connection}): ${places.join("; ") || "was not told of its rooms"}`;
  }
}

// --- the load --------------------------------------------------------------------------------------------------------

function act() {
  const client = pick(clients);
  const room = pick([...client.rooms.keys()]) ?? null;
  const what = dice();
  if (room === null || client.away) return;
  const own = pick(client.mine.filter((message) => message.room === room));
  const seen = pick([...client.rooms.get(room).snapshots.values()].slice(-5));
  if (what < 0.08 && own) client.post(room, "message:edit", { seq: own.seq, text: `edited ${client.counter}` });
  else if (what < 0.12 && own) client.post(room, "message:delete", { seq: own.seq });
  else if (what < 0.125) void move(room);
  else if (what > 0.9 && seen) client.post(room, dice() < 0.7 ? "reaction:add" : "reaction:remove", { seq: seen.seq, emoji: pick(EMOJI) });
  else if (what < 0.127) void client.logout();
  else client.post(room, "message:send", { text: `${client.name} says ${client.counter}` });
}

/** The owner of a room shows a guest out, or in again. */
async function move(id) {
  const room = rooms.get(id);
  if (room === undefined || room.moving || room.guests.length === 0) return;
  room.moving = true;
  const guest = pick(room.guests);
  moves++;
  const act = room.outside.has(guest) ? "invite" : "remove";
  const answer = await room.owner.insist("POST", `/api/rooms/${id}/${act}`, { client_id: room.owner.newId(), username: guest });
  if (answer.status === 204) {
    act === "remove" ? room.outside.add(guest) : room.outside.delete(guest);
    if (act === "remove") note("removed", room.owner.name, { user: guest, room: id });
  }
  room.moving = false;
  moves--;
}

async function inBatches(list, size, job) {
  for (let k = 0; k < list.length; k += size) await Promise.all(list.slice(k, k + size).map(job));
}

function percentile(list, share) {
  if (list.length === 0) return null;
  const sorted = list.toSorted((a, b) => a - b);
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]);
}

const waiting = () => sends.filter((item) => item.how === "waiting");

const commands = {
  /** People, rooms with `perRoom` members each, and everybody connected. */
  async gather({ number, roomNumber, perRoom, ...given }) {
    options = given;
    file = openSync(given.history, "a");
    setInterval(flush, FLUSH_MS);
    dice = generator(given.seed);
    for (let k = 0; k < number; k++) {
      clients.push(new Client(`c${k}`, given.sources[k % given.sources.length]));
      clients[k].note("device", { user: `c${k}` });
    }
    await inBatches(clients, 20, (client) => client.register());
    const plans = Array.from({ length: roomNumber }, (_, k) => {
      const members = Array.from({ length: perRoom }, (_, n) => clients[(k * Math.max(1, Math.floor(number / roomNumber)) + n) % number]);
      return { k, members: [...new Set(members)] };
    });
    await inBatches(plans, 10, async ({ k, members }) => {
      const [owner, ...others] = members;
      const made = await owner.insist("POST", "/api/rooms", { client_id: owner.newId(), name: `room ${k}`, kind: k % 2 ? "private" : "public" });
      if (made.status !== 201) throw new Error(`room: ${JSON.stringify(made)}`);
      const id = made.body.room.room;
      rooms.set(id, { owner, open: k % 2 === 0, guests: others.slice(-2).map((guest) => guest.name), outside: new Set(), moving: false });
      for (const other of others) await owner.insist("POST", `/api/rooms/${id}/invite`, { client_id: owner.newId(), username: other.name });
    });
    await inBatches(clients, 20, async (client) => {
      client.connect();
      for (let turn = 0; turn < 200 && !client.socket?.connected; turn++) await sleep(50);
    });
    return { rooms: [...rooms.keys()] };
  },
  /** Lets somebody from outside into the first room; returns which that is. */
  async admit({ name }) {
    const [[id, { owner }]] = rooms;
    const answer = await owner.insist("POST", `/api/rooms/${id}/invite`, { client_id: owner.newId(), username: name });
    if (answer.status !== 204) throw new Error(`admit: ${JSON.stringify(answer)}`);
    return { room: id };
  },
  load({ rate }) {
    clearInterval(loading);
    let owed = 0;
    loading = rate > 0 ? setInterval(() => {
      for (owed += rate / 20; owed >= 1; owed--) act();
    }, 50) : null;
    return {};
  },
  /** Latencies count only while all is well. */
  calm({ so }) {
    calm = so;
    return {};
  },
  /** What was measured so far no longer counts. */
  forget_latencies() {
    figures.latencies = [];
    figures.ackLatencies = [];
    return {};
  },
  crash({ share }) {
    const busy = clients.filter((client) => [...client.outboxes.values()].some((outbox) => outbox.items.length > 0));
    const struck = new Set(busy);
    while (struck.size < share * clients.length) struck.add(pick(clients));
    for (const client of struck) if (!client.away) client.crash(dice() < 0.5);
    return { struck: struck.size, busy: busy.length };
  },
  /** `back`: who is connected, in sync, and has no write under way that began more than `since_ms` ago; `here`: who has
   * not just logged out. */
  status({ since_ms = Infinity }) {
    const lagging = clients.filter((client) => !client.inSync);
    const owing = new Set(waiting().filter((item) => now() - item.at > since_ms).map((item) => item.client));
    return {
      back: clients.filter((client) => client.inSync && !owing.has(client.name)).length,
      here: clients.filter((client) => !client.away).length,
      clients: clients.length, connected: clients.filter((client) => client.socket?.connected).length,
      in_sync: clients.length - lagging.length, lagging: lagging.slice(0, 5).map((client) => client.lag),
      waiting: waiting().length, moves, oldest_ms: Math.max(0, ...waiting().map((item) => now() - item.at)), acked: figures.acked,
    };
  },
  figures() {
    const { latencies, ackLatencies, ...rest } = figures;
    return {
      ...rest,
      delivered_ms: { p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99), of: latencies.length },
      acked_ms: { p50: percentile(ackLatencies, 0.5), p99: percentile(ackLatencies, 0.99), of: ackLatencies.length },
    };
  },
  /** Writes down what everybody holds. */
  transcripts() {
    for (const client of clients) {
      for (const { room, entries, snapshots } of client.rooms.values()) {
        client.note("transcript", { room, entries, snapshots: [...snapshots.values()] });
      }
    }
    flush();
    return {};
  },
  /** Everybody's rooms as they are listed to them. */
  async lists() {
    const told = [];
    await inBatches(clients, 20, async (client) => {
      const { rooms: mine } = (await client.insist("GET", "/api/rooms")).body;
      told.push(...mine.map((room) => ({ ...room, user: client.name })));
    });
    return told;
  },
  /** Each public room as somebody is told it who has never been there. */
  async fresh() {
    const newcomer = new Client("newcomer", options.sources[0]);
    await newcomer.register();
    const told = {};
    for (const [id, { open }] of rooms) {
      if (!open) continue;
      await newcomer.insist("POST", `/api/rooms/${id}/join`, { client_id: newcomer.newId() });
      const whole = { entries: [], messages: [] };
      for (let after = 0, more = true; more; after = whole.entries.at(-1).seq) {
        const page = (await newcomer.insist("GET", `/api/rooms/${id}/messages?after=${after}&limit=200`)).body;
        whole.entries.push(...page.entries);
        whole.messages.push(...page.messages);
        more = page.more;
      }
      told[id] = whole;
    }
    return told;
  },
};

createInterface({ input: process.stdin }).on("line", async (line) => {
  const { id, command, ...rest } = JSON.parse(line);
  let told;
  try {
    told = { id, answer: await commands[command](rest) };
  } catch (error) {
    told = { id, error: String(error.stack) };
  }
  process.stdout.write(`${JSON.stringify(told)}\n`);
}).on("close", () => process.exit());
process.on("unhandledRejection", (error) => {
  console.error(error);
  process.stdout.write(`${JSON.stringify({ broken: String(error.stack) })}\n`);
  process.exit(1);
});
