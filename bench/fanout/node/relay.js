// The peer that a user would pick instead: socket.io as its documentation says, websocket only like Parley.
// `node relay.js PORT`. With REDIS_URL two workers, and socket.io's adapter carries the rooms between them.
import cluster from "node:cluster";
import { createServer } from "node:http";

import { createAdapter } from "@socket.io/redis-adapter";
import { createClient } from "redis";
import { Server } from "socket.io";

const url = process.env.REDIS_URL;

async function serve() {
  const http = createServer();
  const io = new Server(http, { transports: ["websocket"] });
  if (url) {
    const publisher = createClient({ url });
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
  http.listen(Number(process.argv[2]), "127.0.0.1");
}

if (url && cluster.isPrimary) {
  cluster.fork();
  cluster.fork();
} else {
  await serve();
}
