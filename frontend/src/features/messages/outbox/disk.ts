/** Where messages wait that are not acked yet: IndexedDB, or memory where the browser gives none. */
export interface Waiting {
  user: string;
  room: string;
  client_id: string;
  text: string;
  reply_to?: number;
  /** The place in the order typed; grows from message to message, also over reloads. */
  order: number;
  failed?: { code: string; message: string };
}

export interface OutboxDisk {
  readonly durable: boolean;
  all(user: string): Promise<Waiting[]>;
  put(item: Waiting): Promise<void>;
  remove(user: string, client_id: string): Promise<void>;
  wipe(user: string): Promise<void>;
}

const STORE = "outbox";

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("IndexedDB refused"));
  });
}

/** Resolves when the transaction is on disk, not merely asked for. */
function committed(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onerror = transaction.onabort = () => reject(transaction.error ?? new Error("IndexedDB gave up"));
  });
}

/** Opens the outbox of this browser; falls back to memory, so that sending works in any window. */
export async function openOutboxDisk(given?: IDBFactory | null): Promise<OutboxDisk> {
  try {
    const factory = given === undefined ? globalThis.indexedDB : given; // to ask for it may be refused already
    if (!factory) return memoryDisk();
    const opening = factory.open("parley", 1);
    opening.onupgradeneeded = () => {
      opening.result.createObjectStore(STORE, { keyPath: ["user", "client_id"] }).createIndex("user", "user");
    };
    return indexedDisk(await done(opening));
  } catch {
    return memoryDisk();
  }
}

function indexedDisk(db: IDBDatabase): OutboxDisk {
  const write = (act: (store: IDBObjectStore) => void) => {
    const transaction = db.transaction(STORE, "readwrite", { durability: "strict" });
    act(transaction.objectStore(STORE));
    return committed(transaction);
  };
  const keysOf = (user: string) => done(db.transaction(STORE).objectStore(STORE).index("user").getAllKeys(user));
  return {
    durable: true,
    all: (user) => done(db.transaction(STORE).objectStore(STORE).index("user").getAll(user) as IDBRequest<Waiting[]>),
    put: (item) => write((store) => store.put(item)),
    remove: (user, client_id) => write((store) => store.delete([user, client_id])),
    async wipe(user) {
      const keys = await keysOf(user);
      await write((store) => keys.forEach((key) => store.delete(key)));
    },
  };
}

export function memoryDisk(): OutboxDisk {
  const items = new Map<string, Waiting>();
  return {
    durable: false,
    all: async (user) => [...items.values()].filter((item) => item.user === user),
    put: async (item) => void items.set(`${item.user} ${item.client_id}`, item),
    remove: async (user, client_id) => void items.delete(`${user} ${client_id}`),
    async wipe(user) {
      for (const [key, item] of items) if (item.user === user) items.delete(key);
    },
  };
}
