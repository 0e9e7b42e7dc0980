/** Where somebody stands in a room: a message, and how far below the upper edge; or the end, which is followed. */
export type Stand = { seq: number; top_px: number } | "end";

/** By visit, which is an entry of the browser's history: Back leads to where one stood, exactly. */
export type Stands = Map<string, Stand>;
