/**
 * Which message an ack speaks of, and as of which entry. Who was put out of the room since is told a number alone: that of
 * what they said, or of the change that they made.
 */
export const acked = (event, payload, { message, seq }) =>
  message ?? (event === "message:send" ? { seq, rev: seq } : { seq: payload.seq, rev: seq });
