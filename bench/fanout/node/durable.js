// A chat as most would write it: socket.io, and each message put into DynamoDB with the SDK before it is passed on.
// `node durable.js PORT`; where the store is, the SDK reads from the environment as ever, but for DYNAMODB_ENDPOINT.
import { createServer } from "node:http";

import { DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { Server } from "socket.io";

const dynamodb = new DynamoDBClient({ endpoint: process.env.DYNAMODB_ENDPOINT });
const http = createServer();
const io = new Server(http, { transports: ["websocket"] });
let number = 0;
io.on("connection", (socket) => {
  socket.on("join", async (room, done) => {
    await socket.join(room);
    done();
  });
  socket.on("message:send", async ({ room, client_id, text }, done) => {
    const message = { room, client_id, seq: ++number, author: "bench", text, created_at_ms: Date.now() };
    const Item = {
      room: { S: `node:${room}` },
      id: { S: String(message.seq).padStart(12, "0") },
      client_id: { S: client_id },
      author: { S: message.author },
      text: { S: text },
      created_at_ms: { N: String(message.created_at_ms) },
    };
    await dynamodb.send(new PutItemCommand({ TableName: "messages", Item }));
    done({ ok: true, message });
    io.to(room).emit("message:sent", message);
  });
});
http.listen(Number(process.argv[2]), "127.0.0.1");
