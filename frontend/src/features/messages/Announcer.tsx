import { useState } from "react";
import type { Message } from "@/types/protocol";
import { inOneLine } from "./text";

/** Reads new messages of others to those who listen; the log itself is silent, for rows come and go in it. */
export function Announcer({ newest, me }: { newest: Message | undefined; me: string }) {
  const [said, setSaid] = useState({ seq: newest?.seq ?? 0, text: "" });
  if (newest && newest.seq > said.seq) {
    const first = said.seq === 0;
    setSaid({ seq: newest.seq, text: first || newest.author === me || newest.deleted ? "" : `${newest.name}: ${inOneLine(newest.text)}` });
  }
  return <p className="visually-hidden" aria-live="polite">{said.text}</p>;
}
