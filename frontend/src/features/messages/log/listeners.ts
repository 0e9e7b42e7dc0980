import { onStanding, type Connection } from "@/lib/connection";
import type { Entry } from "@/types/protocol";
import type { Followers } from "./followers";
import type { Names } from "./names";

/** What people are called, as the server tells it by the way. The answer ends it. */
export const listenForNames = (connection: Connection, { said, entered }: Names): (() => void) =>
  connection.listen({
    "message:sent": said, "member:joined": entered, "member:left": entered, "member:removed": entered,
  });

/** What is told of the rooms that are followed. The answer ends it. */
export function listenToLogs(connection: Connection, followers: Followers): () => void {
  const noted = (kind: Entry["kind"]) => (push: Parameters<Followers["noted"]>[1]) => followers.noted(kind, push);
  const stops = [
    connection.listen({
      "message:sent": followers.sent,
      "message:changed": followers.changed,
      "member:joined": noted("joined"),
      "member:left": noted("left"),
      "member:removed": noted("removed"),
      "room:changed": noted("room"),
      "entry:skipped": noted("tombstone"),
      "room:heads": followers.heads,
      "reaction:mine": followers.mine,
    }),
    onStanding(connection, { up: followers.connected, down: followers.disconnected }),
  ];
  return () => stops.forEach((stop) => stop());
}
