/** The part of a socket.io-client socket that is used; a test brings its own. */
export interface Wire {
  readonly connected: boolean;
  connect(): unknown;
  disconnect(): unknown;
  on(event: string, listener: (payload: never) => void): unknown;
  timeout(ms: number): { emitWithAck(event: string, payload: object): Promise<unknown> };
}

/** The chat server's socket for this person: one try, no patience of its own. */
export const openWire = (base: string, username: string): Wire => lazyWire(async () => {
  const { io } = await import("socket.io-client");
  return io(base || location.origin, {
    path: "/socket.io/",
    transports: ["websocket"],
    auth: { user: username },
    autoConnect: false,
    reconnection: false,
    withCredentials: true,
    timeout: 10_000,
    multiplex: false,
  });
});

/** A wire whose library is fetched when it is first needed, beside the first paint instead of before it. */
export function lazyWire(open: () => Promise<Wire>): Wire {
  const listeners: [event: string, listener: (payload: never) => void][] = [];
  let wire: Wire | null = null;
  let wanted = false;

  async function fetchAndConnect() {
    try {
      const opened = await open();
      if (wire) return;
      wire = opened;
      for (const [event, listener] of listeners) wire.on(event, listener);
      if (wanted) wire.connect();
    } catch (thrown) {
      if (wanted) for (const [event, listener] of listeners) if (event === "connect_error") listener(thrown as never);
    }
  }

  return {
    get connected() {
      return wire?.connected ?? false;
    },
    connect() {
      wanted = true;
      if (wire) wire.connect();
      else void fetchAndConnect();
    },
    disconnect() {
      wanted = false;
      wire?.disconnect();
    },
    on(event, listener) {
      listeners.push([event, listener]);
      wire?.on(event, listener);
    },
    timeout(ms) {
      if (!wire) throw new Error("not connected yet");
      return wire.timeout(ms);
    },
  };
}
