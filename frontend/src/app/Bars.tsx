import { useEffect } from "react";
import type { SessionService } from "@/features/auth/session";
import { MismatchBar, StayBar } from "@/features/auth/StayBar";
import { keepFocus } from "@/lib/keepFocus";
import { ConnectionLine } from "./ConnectionLine";
import type { Client } from "./client";
import { FilesWord } from "./FilesWord";
import { NewsLines } from "./NewsLines";
import styles from "@/components/ui/Bar.module.css";

/**
 * What there is to say above a room, a line for each, and what looks after the focus: fetched right behind the page,
 * for mostly there is nothing.
 */
export default function Bars({ client, session, here }: { client: Client; session: SessionService; here: string }) {
  useEffect(keepFocus, []);
  return (
    <div className={styles.bars}>
      <MismatchBar session={session} />
      <StayBar session={session} />
      <ConnectionLine client={client} />
      <FilesWord />
      <NewsLines client={client} here={here} />
    </div>
  );
}
