import { useEffect, useState } from "react";
import type { Failure } from "@/lib/failure";
import { t } from "@/lib/language";
import { useValue } from "@/lib/store";
import { useLate } from "@/lib/useLate";
import type { Rooms } from "./rooms";
import styles from "./RoomDialogs.module.css";

/** Whether the list of rooms is as the server has it now; or why that is not known. */
export type Listed = "asking" | "known" | Failure;

const PATIENCE_MS = 800;

/** Asks for the list when something opens that shows which rooms there are: others make rooms too. */
export function useListed(rooms: Rooms): Listed {
  const [answered, setAnswered] = useState(false);
  const failure = useValue(rooms.failure);
  useEffect(() => {
    let open = true;
    void rooms.refetch().then(() => open && setAnswered(true));
    return () => {
      open = false;
    };
  }, [rooms]);
  return failure ?? (answered ? "known" : "asking");
}

/** That there may be other rooms than those shown, and why; nothing where all of them are known. */
export function Unlisted({ listed }: { listed: Listed }) {
  const late = useLate(listed === "asking", PATIENCE_MS);
  if (listed === "known" || (listed === "asking" && !late)) return null;
  return (
    <p className={styles.quiet} role="status">
      {listed === "asking"
        ? t("Asking the server which rooms there are…")
        : `${t("Which rooms there are cannot be known now.")} ${listed.message}`}
    </p>
  );
}
