import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useNavigate } from "react-router";
import { Boundary, nothing, partly } from "@/components/ui/Boundary";
import { Button } from "@/components/ui/Button";
import { Icon } from "@/components/ui/icons";
import { Composer } from "@/features/messages/composer/Composer";
import { emptyLog } from "@/features/messages/log/log";
import type { MessageHandlers } from "@/features/messages/message/handlers";
import { PendingMessage } from "@/features/messages/message/PendingMessage";
import { Timeline } from "@/features/messages/timeline/Timeline";
import { lastOwn } from "@/features/messages/timeline/timeline";
import { TypingLine } from "@/features/presence/TypingLine";
import { copy } from "@/lib/copy";
import { giveBack } from "@/lib/focus";
import { sentence, t } from "@/lib/language";
import { useValue } from "@/lib/store";
import { useTrouble } from "@/lib/trouble";
import { useWord } from "@/lib/useWord";
import type { Message, Room } from "@/types/protocol";
import type { Client } from "./client";
import { Unloaded } from "./Unloaded";
import { useReading } from "./useReading";
import styles from "./RoomView.module.css";

interface Props {
  client: Client;
  room: Room;
  target: { seq: number; visit: string } | null;
}

/** One room: its messages, who is typing, the field. Mounted anew for every room. */
export function RoomView({ client, room, target }: Props) {
  const { followers, outbox, changes, reactions, typing, names, user } = client;
  const navigate = useNavigate();
  const composer = useRef<HTMLTextAreaElement>(null);
  const held = useValue(followers.rooms).get(room.room) ?? NOT_HELD;
  const waiting = useValue(outbox.items);
  const pending = useMemo(() => waiting.filter((item) => item.room === room.room), [waiting, room.room]);
  const [replyTo, setReplyTo] = useState<Message | null>(null);
  const [editing, setEditing] = useState<number | null>(null);
  const { said: notice, report, clear } = useTrouble();
  const [word, say] = useWord();
  const { newAfter, seeking, onSeen } = useReading(client, room, held.log, target !== null);

  useLoading(client, room, target, report);
  useEffect(() => {
    if (matchMedia("(pointer: fine)").matches) composer.current?.focus();
  }, []);

  const handlers = useMemo<MessageHandlers>(
    () => ({
      edit: changes.edit,
      remove: changes.remove,
      react(message, emoji, wanted) {
        clear();
        reactions.react(message, emoji, wanted).catch(report);
      },
      wishes: reactions.wishes,
      who: reactions.who,
      reply: setReplyTo,
      copyLink(seq) {
        clear();
        copy(`${location.origin}/r/${encodeURIComponent(room.room)}/${seq}`).then(() => say(t("Link copied")), report);
      },
      jump: (seq) => void navigate(`/r/${encodeURIComponent(room.room)}/${seq}`),
      setEditing(seq) {
        setEditing(seq);
        if (seq === null) composer.current?.focus();
      },
    }),
    [changes, reactions, report, clear, say, navigate, room.room],
  );

  /** To the end of the room, and to its address: a permalink's would lead back when the page is loaded again. */
  const isLinked = target !== null;
  const toNewest = useCallback(() => {
    followers.newest(room.room);
    if (isLinked) void navigate(`/r/${encodeURIComponent(room.room)}`, { replace: true });
  }, [followers, room.room, isLinked, navigate]);

  const load = useCallback(
    (what: "older" | "newer" | "newest") => {
      if (what === "newest") toNewest();
      else followers[what](room.room).then(clear, report);
    },
    [followers, room.room, report, clear, toNewest],
  );

  function send(text: string) {
    void outbox.add(room.room, text, replyTo?.seq);
    setReplyTo(null);
    clear();
    toNewest();
  }

  return (
    <>
      {held.log.generation === 0 ? (
        <div className={styles.waiting} aria-busy={held.failure === null}>
          <Unloaded connection={client.connection} failure={held.failure} trouble={held.trouble}
            again={() => followers.hold(room.room)} />
          {pending.map((item, at) => (
            <PendingMessage key={item.client_id} item={item} name={user.name} startsGroup={at === 0}
              retry={outbox.retry} remove={outbox.remove} />
          ))}
        </div>
      ) : (
        <Boundary of={held.log} instead={MESSAGES}>
          <Timeline room={room} held={held} pending={pending} me={user} names={names} newAfter={newAfter}
            ready={!seeking} target={target} editing={editing} handlers={handlers}
            retry={outbox.retry} remove={outbox.remove} load={load} onSeen={onSeen} />
        </Boundary>
      )}
      {notice && (
        <p className={styles.notice}>
          <span role="alert">{notice}</span>
          <Button look="icon" small aria-label={t("Dismiss")}
            onClick={() => { clear(); giveBack(composer.current); }}>
            <Icon name="close" size={14} />
          </Button>
        </p>
      )}
      <p className={styles.word} role="status">{word}</p>
      <Boundary instead={nothing}><TypingLine typing={typing} room={room.room} /></Boundary>
      <Boundary instead={FIELD}>
        <Composer ref={composer} user={user.username} room={room.room} roomName={room.name} replyTo={replyTo}
          cancelReply={() => setReplyTo(null)} send={send}
          editLast={() => setEditing(lastOwn(held.log, user.username)?.seq ?? null)}
          typed={() => typing.typed(room.room)} stopped={() => typing.stopped(room.room)} />
      </Boundary>
    </>
  );
}

const MESSAGES = partly(sentence("The messages"));
const FIELD = partly(sentence("The message field"));
const NOT_HELD = { log: emptyLog, failure: null, trouble: null, loading: null };

/** Follows the room, and fetches what a permalink names when it lies far back. */
function useLoading({ followers }: Client, room: Room, target: Props["target"], report: (thrown: unknown) => void) {
  const known = useValue(followers.rooms).get(room.room)?.log.generation ?? 0;
  const seq = target?.seq;
  useEffect(() => followers.hold(room.room), [followers, room.room]);
  useEffect(() => {
    if (known > 0 && seq !== undefined) followers.around(room.room, seq).catch(report);
  }, [followers, room.room, known, seq, report]);
}
