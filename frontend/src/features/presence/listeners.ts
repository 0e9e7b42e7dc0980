import type { Connection } from "@/lib/connection";
import type { Typing } from "./typing";

/** Who types is told, and a message is the end of it. The answer ends it. */
export const listenToTyping = (connection: Connection, typing: Typing): (() => void) =>
  connection.listen({ typing: typing.heard, "message:sent": ({ room, author }) => typing.forget(room, author) });
