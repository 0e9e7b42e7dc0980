/**
 * The smallest follower that docs/protocol.md allows: per room a cursor, the newest snapshot of each message, pages pulled
 * while something is missing. It knows no socket: `ask(event, payload)` answers an ack or `{lost: true}`, `connected()`
 * says whether asking makes sense. `on` hears of it: `passed(state, entry, snapshot)` when the cursor moves,
 * `page(state, page, after, askedAt)` when one came, `reset(state)` when what was held of a room is dropped.
 */
const MISSING_MS = 300;
const RETRY_MS = 500;
const EMPTY_MS = 250;
const NOT_ENTRIES = new Set(["room:read", "room:heads", "reaction:mine", "typing"]);

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class Follower {
  rooms = new Map();

  constructor(ask, connected, on = {}) {
    this.ask = ask;
    this.connected = connected;
    this.on = on;
  }

  state(room) {
    if (!this.rooms.has(room)) {
      this.rooms.set(room, {
        room, generation: 0, cursor: 0, head: 0, transcript: [], snapshots: new Map(), ahead: false, pulling: false, pulls: [], gaps: 0,
      });
    }
    return this.rooms.get(room);
  }

  /** Takes an event; returns `[room, entry, snapshot]` when it tells of an entry. */
  hear(event, payload) {
    if (event === "room:heads") {
      for (const [room, [generation, head]] of Object.entries(payload)) this.learn(this.state(room), generation, head);
      return null;
    }
    const number = payload?.entry ?? payload?.seq;
    if (!payload?.room || !number || NOT_ENTRIES.has(event)) return null;
    const snapshot = event === "message:sent" ? payload : payload.message;
    this.meet(this.state(payload.room), payload.generation);
    this.advance(this.state(payload.room), { seq: number, kind: event }, snapshot);
    return [payload.room, number, snapshot];
  }

  learn(state, generation, head) {
    this.meet(state, generation);
    state.head = Math.max(state.head, head);
    if (head > state.cursor) void this.pull(state);
  }

  /** Another generation than before: the room was restored from a backup, and nothing that is held of it counts. */
  meet(state, generation) {
    if (state.generation && state.generation !== generation) {
      this.drop(state, 0);
      state.head = 0;
    }
    state.generation = generation;
  }

  /** A live entry: the next one moves the cursor, a later one means that something is missing. */
  advance(state, entry, snapshot) {
    state.head = Math.max(state.head, entry.seq);
    if (snapshot) hold(state, snapshot);
    if (entry.seq <= state.cursor) return;
    if (entry.seq === state.cursor + 1) this.pass(state, entry, snapshot);
    else if (!state.ahead) {
      state.ahead = true;
      setTimeout(() => {
        state.ahead = false;
        if (state.head > state.cursor) void this.pull(state);
      }, MISSING_MS);
    }
  }

  pass(state, entry, snapshot) {
    state.cursor = entry.seq;
    const { seq, kind } = entry;
    const said = snapshot && snapshot.seq === seq;
    state.transcript.push(said ? { seq, client_id: snapshot.client_id, author: snapshot.author, text: snapshot.text } : { seq, kind });
    this.on.passed?.(state, entry, snapshot);
  }

  /** Page after page until nothing is missing. */
  async pull(state) {
    if (state.pulling) return;
    state.pulling = true;
    let again = false;
    for (let turns = 0; turns < 500 && this.connected() && state.cursor < state.head; turns++) {
      const after = state.cursor;
      const askedAt = Date.now();
      const page = await this.ask("room:open", { room: state.room, after });
      if (!page.ok) {
        again = Boolean(page.lost || page.error?.retry);
        break;
      }
      state.pulls.push(page.messages.length);
      this.on.page?.(state, page, after, askedAt);
      this.take(state, page);
      if (state.cursor === after) await sleep(EMPTY_MS);
    }
    state.pulling = false;
    if (again) setTimeout(() => void this.pull(state), RETRY_MS);
  }

  take(state, page) {
    if (page.generation !== state.generation) return;
    const first = (page.entries[0]?.seq ?? page.head + 1) - 1;
    if (page.gap) {
      state.gaps++;
      this.drop(state, first);
    } else if (state.cursor === 0 && page.entries.length > 0) state.cursor = first;
    else if (Math.max(page.from, page.floor) > state.cursor + 1) this.drop(state, Math.max(page.from, page.floor) - 1);
    state.head = Math.max(state.head, page.head);
    for (const snapshot of page.messages) hold(state, snapshot);
    const snapshots = new Map(page.messages.map((snapshot) => [snapshot.seq, snapshot]));
    for (const entry of page.entries) if (entry.seq === state.cursor + 1) this.pass(state, entry, snapshots.get(entry.seq));
  }

  drop(state, cursor) {
    this.on.reset?.(state);
    state.transcript = [];
    state.snapshots.clear();
    state.cursor = cursor;
  }
}

function hold(state, snapshot) {
  const known = state.snapshots.get(snapshot.seq);
  if (!known || known.rev < snapshot.rev) state.snapshots.set(snapshot.seq, snapshot);
}
