import { useCallback, useMemo } from "react";
import { Boundary } from "@/components/ui/Boundary";
import { useMinute } from "@/lib/useMinute";
import type { Room } from "@/types/protocol";
import { BrokenRow } from "./BrokenRow";
import type { HeldRoom } from "@/features/messages/log/followers";
import { DayLine, NewLine } from "@/features/messages/message/MessageFrame";
import { MessageList } from "./MessageList";
import type { Names } from "@/features/messages/log/names";
import type { OutboxItem } from "@/features/messages/outbox/outbox";
import { PendingMessage } from "@/features/messages/message/PendingMessage";
import { SentMessage, type MessageDeeds } from "@/features/messages/message/SentMessage";
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
  deeds: MessageDeeds;
  retry(client_id: string): void;
  remove(client_id: string): void;
  load(what: "older" | "newer" | "newest"): void;
  onSeen(seen: Seen): void;
}

/** A room's messages from log and outbox to rows on screen. */
export function Timeline({ room, held, pending, me, names, newAfter, ready, target, editing, deeds, retry, remove, load, onSeen }: Props) {
  const { log } = held;
  const rows = useMemo(() => timelineOf({ log, pending, me: me.username, newAfter }), [log, pending, me.username, newAfter]);
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
            return <PendingMessage item={row.item} name={me.name} starts={row.starts} active={active} retry={retry} remove={remove} />;
          case "message": {
            const { message } = row;
            return (
              <SentMessage message={message} starts={row.starts} mine={message.author === me.username} active={active} entered={entered}
                editing={editing === message.seq} lit={target?.seq === message.seq} deeds={deeds}
                quoted={message.reply_to === undefined ? undefined : log.images.get(message.reply_to)} />
            );
          }
        }
      };
      return (
        <Boundary of={subjectOf(row)} instead={() => <BrokenRow at_ms={saidAt(row)} />}>
          {row.day_ms !== null && <DayLine at_ms={row.day_ms} now_ms={now_ms} />}
          {row.fresh && <NewLine />}
          {content()}
        </Boundary>
      );
    },
    [room, me, names, retry, remove, editing, target, deeds, log.images, log.first, now_ms],
  );

  return (
    <MessageList label={`Messages in ${room.name}`} log={log} rows={rows} ready={ready} target={target} renderRow={renderRow} onSeen={onSeen}
      loadOlder={loadOlder} loadNewer={loadNewer} toNewest={toNewest} />
  );
}
