import { useMemo } from "react";
import { Brand } from "@/components/ui/Brand";
import { Button } from "@/components/ui/Button";
import { Icon } from "@/components/ui/icons";
import { Monogram } from "@/components/ui/Monogram";
import type { SessionService } from "@/features/auth/session";
import { inOrder } from "@/features/rooms/roomList";
import { RoomNav } from "@/features/rooms/RoomNav";
import { draftedRooms } from "@/lib/drafts";
import { withCtrl } from "@/lib/keys";
import { t } from "@/lib/language";
import { useValue } from "@/lib/store";
import { toggleTheme } from "@/lib/theme";
import { useTrouble } from "@/lib/trouble";
import type { Client } from "./client";
import type { Panel } from "./panels";
import styles from "./Sidebar.module.css";

interface Props {
  client: Client;
  session: SessionService;
  open(panel: Panel): void;
  close(): void;
}

export function Sidebar({ client, session, open, close }: Props) {
  const list = useValue(client.rooms.shown);
  const failure = useValue(client.rooms.failure);
  const { said: trouble, report } = useTrouble();
  const drafted = useValue(draftedRooms(client.user.username));
  const news = useValue(client.news);
  const invited = useMemo(() => new Set(news.map(({ room }) => room)), [news]);
  /** What is not sent is gone with the sign-out: that is asked before. */
  const signOut = () => {
    const unsent = client.outbox.items.get().some(({ state }) => state !== "sent");
    if (unsent || drafted.size > 0) open("leaving");
    else session.logout().catch(report);
  };

  return (
    <aside className={styles.sidebar} aria-label={t("Sidebar")}>
      <header className={styles.top}>
        <Brand />
        <Button look="icon" className={styles.close} aria-label={t("Close rooms")} onClick={close}>
          <Icon name="close" />
        </Button>
      </header>
      <button type="button" className={styles.search} onClick={() => open("switcher")}>
        <Icon name="search" size={17} /> {t("Go to…")} <kbd>{withCtrl("K")}</kbd>
      </button>
      <div className={styles.caption}>
        <h2>{t("Rooms")}</h2>
        <Button look="icon" small aria-label={t("Browse rooms")} title={t("Browse rooms")}
          onClick={() => open("browse")}>
          <Icon name="list" size={18} />
        </Button>
        <Button look="icon" small aria-label={t("New room")} title={t("New room")} onClick={() => open("create")}>
          <Icon name="plus" size={18} />
        </Button>
      </div>
      <RoomNav rooms={inOrder(list)} drafted={drafted} invited={invited} onPick={close} />
      {!list.loaded && failure && <p className={styles.trouble}>{failure.message}</p>}
      {trouble && <p className={styles.trouble} role="alert">{trouble}</p>}
      <footer className={styles.foot}>
        <button type="button" className={styles.me} title={t("Your devices, password and language")}
          onClick={() => open("account")}>
          <Monogram username={client.user.username} name={client.user.name} />
          <span className="visually-hidden">{t("Your account")}, </span>
          <strong>{client.user.name}</strong>
        </button>
        <Button look="icon" aria-label={t("Light or dark")} title={t("Light or dark")} onClick={toggleTheme}>
          <Icon name="theme" size={18} />
        </Button>
        <Button look="icon" aria-label={t("Keys")} title={`${t("Keys")} (${withCtrl("/")})`} className={styles.keys}
          onClick={() => open("keys")}>
          <Icon name="keys" />
        </Button>
        <Button look="icon" aria-label={t("Sign out")} title={t("Sign out")} onClick={signOut}>
          <Icon name="leave" size={19} />
        </Button>
      </footer>
    </aside>
  );
}
