// The peer that a user would pick instead: socket.io as its documentation says, websocket only like Parley.
// `node relay.js PORT [REDIS_PORT]`; with a Redis, its adapter carries the rooms between processes.
import { createServer } from "node:http";

import { Server } from "socket.io";

const [port, redis] = process.argv.slice(2);
const http = createServer();
const io = new Server(http, { transports: ["websocket"] });
if (redis) {
  const { createAdapter } = await import("@socket.io/redis-adapter");
  const { createClient } = await import("redis");
  const publisher = createClient({ url: `redis://127.0.0.1:${redis}` });
  const subscriber = publisher.duplicate();
  await Promise.all([publisher.connect(), subscriber.connect()]);
  io.adapter(createAdapter(publisher, subscriber));
}
io.on("connection", (socket) => {
  socket.on("join", async (room, done) => {
    await socket.join(room);
    done();
  });
  socket.on("say", (room, text) => io.to(room).emit("said", room, text));
});
http.listen(Number(port), "127.0.0.1");
