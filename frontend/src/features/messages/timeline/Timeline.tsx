import { useCallback, useMemo } from "react";
import { Boundary } from "@/components/ui/Boundary";
import type { HeldRoom } from "@/features/messages/log/followers";
import type { Names } from "@/features/messages/log/names";
import type { MessageHandlers } from "@/features/messages/message/handlers";
import { DayLine, NewLine } from "@/features/messages/message/MessageFrame";
import { PendingMessage } from "@/features/messages/message/PendingMessage";
import { SentMessage } from "@/features/messages/message/SentMessage";
import type { OutboxItem } from "@/features/messages/outbox/items";
import { zone } from "@/lib/dates";
import { language, t } from "@/lib/language";
import { lazy } from "@/lib/lazy";
import { useValue } from "@/lib/store";
import { useMinute } from "@/lib/useMinute";
import type { Room } from "@/types/protocol";
import { BrokenRow } from "./BrokenRow";
import { MessageList } from "./MessageList";
import type { Seen } from "./reading";
import { RoomNote } from "./RoomNote";
import type { Stand } from "./stands";
import { saidAt, subjectOf, timelineOf, type Row, type Target } from "./timeline";

interface Props {
  room: Room;
  held: HeldRoom;
  pending: readonly OutboxItem[];
  me: { username: string; name: string };
  names: Names;
  newAfter: number | null;
  /** False while the place to begin reading is being fetched. */
  ready: boolean;
  visit: string;
  target: Target | null;
  /** The message that the address names. */
  linked: number | null;
  editing: number | null;
  handlers: MessageHandlers;
  retry(client_id: string): void;
  remove(client_id: string): void;
  load(what: "older" | "newer" | "newest"): void;
  onSeen(seen: Seen): void;
  onStand(stand: Stand): void;
}

/** Until it is here as high as it will be, about: the virtual list never looks again at a first row without height. */
const Welcome = lazy(() => import("./Welcome"), () => <div style={{ height: 240 }} />);

/** A room's messages from log and outbox to rows on screen. */
export function Timeline({
  room, held, pending, me, names, newAfter, ready, visit, target, linked, editing, handlers, retry, remove, load,
  onSeen, onStand,
}: Props) {
  const { log } = held;
  const here = useValue(zone);
  const rows = useMemo(
    () => timelineOf({ log, pending, me: me.username, newAfter }),
    // eslint-disable-next-line react-hooks/exhaustive-deps -- another zone has other days
    [log, pending, me.username, newAfter, here],
  );
  const now_ms = useMinute();
  const tongue = useValue(language);

  const [loadOlder, loadNewer, toNewest] = useMemo(
    () => [() => load("older"), () => load("newer"), () => load("newest")] as const, [load],
  );

  const renderRow = useCallback(
    (row: Row, active: boolean, entered: boolean) => {
      const content = () => {
        switch (row.kind) {
          case "welcome":
            return <Welcome room={room} first={log.first} />;
          case "note":
            return <RoomNote entry={row.entry} names={names} />;
          case "pending":
            return (
              <PendingMessage item={row.item} name={me.name} startsGroup={row.startsGroup} active={active}
                retry={retry} remove={remove} />
            );
          case "message": {
            const { message } = row;
            return (
              <SentMessage message={message} startsGroup={row.startsGroup} mine={message.author === me.username}
                active={active} entered={entered}
                editing={editing === message.seq} highlighted={linked === message.seq} handlers={handlers}
                quoted={row.quoted} />
            );
          }
        }
      };
      return (
        <Boundary of={subjectOf(row)} instead={() => <BrokenRow at_ms={saidAt(row)} />}>
          {row.day_ms !== null && <DayLine at_ms={row.day_ms} now_ms={now_ms} />}
          {row.firstUnread && <NewLine />}
          {content()}
        </Boundary>
      );
    },
    // eslint-disable-next-line react-hooks/exhaustive-deps -- what is said and when is written by language and zone
    [room, me, names, retry, remove, editing, linked, handlers, log.first, now_ms, here, tongue],
  );

  return (
    <MessageList label={t("Messages in {room}", { room: room.name })} log={log} rows={rows} ready={ready}
      visit={visit} target={target} renderRow={renderRow} onSeen={onSeen} onStand={onStand}
      loadOlder={loadOlder} loadNewer={loadNewer} toNewest={toNewest} />
  );
}
