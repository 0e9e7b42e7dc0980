import { useEffect } from "react";
import { Button } from "@/components/ui/Button";
import { Icon } from "@/components/ui/icons";
import { Link } from "@/components/ui/Link";
import { followNews } from "@/features/rooms/news";
import type { News } from "@/features/rooms/newsItems";
import { goHome } from "@/lib/focus";
import { t } from "@/lib/language";
import { useValue } from "@/lib/store";
import type { Client } from "./client";
import styles from "@/components/ui/Bar.module.css";

/** Who brought me into a room, or put me out of one, told wherever I am; it goes when I have been there. */
export function NewsLines({ client, here }: { client: Client; here: string }) {
  const { user, rooms, news, names, fetchPage } = client;
  const items = useValue(news);
  const drop = (room: string) => news.set((all) => all.filter((each) => each.room !== room));
  useEffect(
    () => followNews({ user, rooms, news, newest: (room) => fetchPage(room, {}), nameOf: names.of }),
    [user, rooms, news, names, fetchPage],
  );
  const isHere = items.some(({ room }) => room === here);
  useEffect(() => {
    if (isHere) news.set((all) => all.filter(({ room }) => room !== here));
  }, [news, isHere, here]);
  return (
    <div role="status">
      {items.map((item) => (
        <p key={`${item.kind} ${item.room}`} className={`${styles.line} ${styles.news}`}>
          <span>{told(item)}</span>
          {item.kind === "invited" && <Link to={`/r/${encodeURIComponent(item.room)}`}>{t("Open")}</Link>}
          <Button look="icon" small aria-label={t("Dismiss")} onClick={() => { drop(item.room); goHome(); }}>
            <Icon name="close" size={14} />
          </Button>
        </p>
      ))}
    </div>
  );
}

function told({ kind, name: room, by: name }: News): string {
  if (kind === "invited") return t("{name} invited you to {room}.", { room, name: name ?? t("Somebody") });
  if (!name) return t("You were removed from {room}.", { room });
  return t("You were removed from {room} by {name}.", { room, name });
}
