import { onStanding, type Connection } from "@/lib/connection";
import { onVisibility } from "@/lib/visibility";
import type { Rooms } from "./rooms";

/** What is told of my rooms, and what of them is told when nobody looks any more. The answer ends it. */
export function listenToRooms(connection: Connection, rooms: Rooms): () => void {
  const entered = (push: { room: string; generation: number; entry: number }) =>
    rooms.entered(push.room, push.generation, push.entry);
  const stops = [
    connection.listen({
      "message:sent": rooms.sent,
      "message:changed": rooms.changed,
      "member:joined": entered,
      "member:left"(push) {
        entered(push);
        if (push.successor) rooms.told(push.room, { owner: push.successor });
      },
      "member:removed"(push) {
        rooms.putOut(push);
        entered(push);
      },
      "room:changed"(push) {
        entered(push);
        if ("name" in push) rooms.told(push.room, { name: push.name });
      },
      "entry:skipped": ({ room, generation, entry }) => rooms.skipped(room, generation, entry),
      "room:heads": rooms.heads,
      "room:made": rooms.made,
      "rooms:changed": () => void rooms.refetch(),
      "room:read": ({ room, seq }) => rooms.wasRead(room, seq),
    }),
    onStanding(connection, {
      up: () => void rooms.refetch(),
      down: (phase) => phase === "waiting" && rooms.remember(),
    }),
    onVisibility({ away: rooms.tellAll }),
  ];
  return () => stops.forEach((stop) => stop());
}
