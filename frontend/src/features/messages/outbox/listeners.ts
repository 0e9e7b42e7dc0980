import { onStanding, type Connection } from "@/lib/connection";
import type { Tabs } from "@/lib/tabs";
import type { Outbox } from "./outbox";

/**
 * What is on its way goes while the connection stands, and has come when the server tells of it. The answer ends it.
 */
export function listenToOutbox(connection: Connection, outbox: Outbox, tabs: Tabs): () => void {
  const stops = [
    connection.listen({ "message:sent": outbox.settle }),
    onStanding(connection, {
      up() {
        tabs.lead();
        outbox.resume();
      },
      down: tabs.release,
    }),
  ];
  return () => stops.forEach((stop) => stop());
}
