import { useCallback, useMemo } from "react";
import { Boundary } from "@/components/ui/Boundary";
import type { HeldRoom } from "@/features/messages/log/followers";
import type { Names } from "@/features/messages/log/names";
import type { MessageHandlers } from "@/features/messages/message/handlers";
import { DayLine, NewLine } from "@/features/messages/message/MessageFrame";
import { PendingMessage } from "@/features/messages/message/PendingMessage";
import { SentMessage } from "@/features/messages/message/SentMessage";
import type { OutboxItem } from "@/features/messages/outbox/items";
import { t } from "@/lib/language";
import { useMinute } from "@/lib/useMinute";
import type { Room } from "@/types/protocol";
import { BrokenRow } from "./BrokenRow";
import { MessageList } from "./MessageList";
import type { Seen } from "./reading";
import { RoomNote } from "./RoomNote";
import { saidAt, subjectOf, timelineOf, type Row } from "./timeline";
import { Welcome } from "./Welcome";

interface Props {
  room: Room;
  held: HeldRoom;
  pending: readonly OutboxItem[];
  me: { username: string; name: string };
  names: Names;
  newAfter: number | null;
  /** False while the place to begin reading is being fetched. */
  ready: boolean;
  target: { seq: number; visit: string } | null;
  editing: number | null;
  handlers: MessageHandlers;
  retry(client_id: string): void;
  remove(client_id: string): void;
  load(what: "older" | "newer" | "newest"): void;
  onSeen(seen: Seen): void;
}

/** A room's messages from log and outbox to rows on screen. */
export function Timeline({
  room, held, pending, me, names, newAfter, ready, target, editing, handlers, retry, remove, load, onSeen,
}: Props) {
  const { log } = held;
  const rows = useMemo(
    () => timelineOf({ log, pending, me: me.username, newAfter }), [log, pending, me.username, newAfter],
  );
  const now_ms = useMinute();

  const loadOlder = useCallback(() => load("older"), [load]);
  const loadNewer = useCallback(() => load("newer"), [load]);
  const toNewest = useCallback(() => load("newest"), [load]);

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
                editing={editing === message.seq} highlighted={target?.seq === message.seq} handlers={handlers}
                quoted={message.reply_to === undefined ? undefined : log.snapshots.get(message.reply_to)} />
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
    [room, me, names, retry, remove, editing, target, handlers, log.snapshots, log.first, now_ms],
  );

  return (
    <MessageList label={t("Messages in {room}", { room: room.name })} log={log} rows={rows} ready={ready}
      target={target} renderRow={renderRow} onSeen={onSeen}
      loadOlder={loadOlder} loadNewer={loadNewer} toNewest={toNewest} />
  );
}
