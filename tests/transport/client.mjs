// What apps do with the JavaScript client, one scenario after the other: `node client.mjs http://localhost:8000 acks pings`.
// Says of each `{"scenario", "found"}` as a line of JSON: null, or what is not as it should be.
import assert from "node:assert/strict";
import { createRequire } from "node:module";

const { io } = createRequire(new URL("../../frontend/package.json", import.meta.url))("socket.io-client");
const [url, ...names] = process.argv.slice(2);

function open(options = {}, namespace = "/") {
  return io(url + namespace, { transports: ["websocket"], forceNew: true, ...options });
}

function event(emitter, name) {
  return new Promise((resolve) => emitter.once(name, (...args) => resolve(args)));
}

const scenarios = {
  async acks(socket) {
    const value = { text: "Grüße 👋\u2028", list: [1, -2.5, true, null], deep: { a: { b: [] } } };
    assert.deepEqual(await socket.timeout(30000).emitWithAck("echo", value, 7), { echo: [value, 7] });
  },
  async "a wrong answer"(socket) {
    assert.deepEqual(await socket.timeout(30000).emitWithAck("echo", 1), { echo: [2] });
  },
  async "answers in order"(socket) {
    const asked = Array.from({ length: 200 }, (_, number) => socket.timeout(30000).emitWithAck("echo", number));
    assert.deepEqual(await Promise.all(asked), asked.map((_, number) => ({ echo: [number] })));
  },
  async "sent before it is connected"() {
    const socket = open({ autoConnect: false });
    const asked = [1, 2, 3].map((number) => new Promise((resolve) => socket.emit("echo", number, resolve)));
    socket.connect();
    assert.deepEqual(await Promise.all(asked), [1, 2, 3].map((number) => ({ echo: [number] })));
    socket.disconnect();
  },
  async events(socket) {
    const got = [];
    socket.on("burst", (number) => got.push(number));
    await socket.timeout(30000).emitWithAck("burst", 300);
    assert.deepEqual(got, Array.from({ length: 300 }, (_, number) => number));
  },
  async "a large message"(socket) {
    const text = "é".repeat(30_000);
    assert.deepEqual(await socket.timeout(30000).emitWithAck("echo", text), { echo: [text] });
  },
  async "who is refused is told why"() {
    const socket = open({ auth: { user: "refused" }, reconnection: false });
    const [error] = await event(socket, "connect_error");
    assert.equal(error.message, "no");
    assert.deepEqual(error.data, { code: "unauthenticated" });
  },
  async "an unknown namespace"() {
    const socket = open({ reconnection: false }, "/admin");
    const [error] = await event(socket, "connect_error");
    assert.equal(error.message, "Invalid namespace");
    socket.disconnect();
  },
  async "the server disconnects"(socket) {
    socket.emit("leave");
    assert.equal((await event(socket, "disconnect"))[0], "io server disconnect");
    assert.equal(socket.active, false);
  },
  async "it comes back"(socket) {
    const before = socket.id;
    socket.io.engine.close();
    await event(socket, "connect");
    assert.notEqual(socket.id, before);
    assert.deepEqual(await socket.timeout(30000).emitWithAck("echo"), { echo: [] });
  },
  async pings(socket) {
    for (let count = 0; count < 3; count++) await event(socket.io, "ping");
    assert.deepEqual(await socket.timeout(30000).emitWithAck("echo"), { echo: [] });
  },
  async binary(socket) {
    socket.emit("echo", Buffer.from([1, 2, 3]));
    assert.equal((await event(socket, "disconnect"))[0], "transport close");
  },
};

for (const scenario of names) {
  const socket = open({ reconnectionDelay: 10, reconnectionDelayMax: 20 });
  let found = null;
  try {
    await event(socket, "connect");
    await scenarios[scenario](socket);
  } catch (error) {
    found = String(error.stack);
  }
  socket.disconnect();
  console.log(JSON.stringify({ scenario, found }));
}
