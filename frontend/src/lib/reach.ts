import { onStanding, type Connection } from "./connection";
import { isReached } from "./trouble";

/** The server is reached when the connection stands, and when its line is good again. The answer ends it. */
export function listenForReach(connection: Pick<Connection, "state" | "line">): () => void {
  const { state, line } = connection;
  const stops = [
    onStanding(connection, { up: isReached, down() {} }),
    line.subscribe(() => state.get().phase === "connected" && line.get() === "good" && isReached()),
  ];
  return () => stops.forEach((stop) => stop());
}
