import { memo, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { useNavigate } from "react-router";
import { Boundary, nothing, partly } from "@/components/ui/Boundary";
import { Button } from "@/components/ui/Button";
import { Icon } from "@/components/ui/icons";
import { Composer } from "@/features/messages/composer/Composer";
import { emptyLog, lacks } from "@/features/messages/log/log";
import type { MessageHandlers } from "@/features/messages/message/handlers";
import { PendingMessage } from "@/features/messages/message/PendingMessage";
import { inOneLine } from "@/features/messages/message/text";
import { Timeline } from "@/features/messages/timeline/Timeline";
import type { Stand } from "@/features/messages/timeline/stands";
import { lastOwn, type Target } from "@/features/messages/timeline/timeline";
import { TypingLine } from "@/features/presence/TypingLine";
import { copy } from "@/lib/copy";
import { readEdit, readReply, writeEdit, writeReply, type ReplyTo } from "@/lib/drafts";
import { giveBack } from "@/lib/focus";
import { language, sentence, t } from "@/lib/language";
import { lazy } from "@/lib/lazy";
import { useValue } from "@/lib/store";
import { isTouch } from "@/lib/touch";
import { useTrouble } from "@/lib/trouble";
import { useWord } from "@/lib/useWord";
import type { Room } from "@/types/protocol";
import type { Client } from "./client";
import { useReading } from "./useReading";
import styles from "./RoomView.module.css";

interface Props {
  client: Client;
  room: Room;
  /** The entry of the browser's history that led here. */
  visit: string;
  /** The message that the address names. */
  linked: number | null;
}

/** One room: its messages, who is typing, the field. Mounted anew for every room. */
export const RoomView = memo(function RoomView({ client, room, visit, linked }: Props) {
  useValue(language);
  const { followers, outbox, changes, reactions, typing, names, user } = client;
  const navigate = useNavigate();
  const composer = useRef<HTMLTextAreaElement>(null);
  const held = useValue(followers.rooms).get(room.room) ?? NOT_HELD;
  const waiting = useValue(outbox.items);
  const pending = useMemo(() => waiting.filter((item) => item.room === room.room), [waiting, room.room]);
  const me = user.username;
  const [replyTo, setReplyTo] = useState(() => readReply(me, room.room));
  const [editing, setEditing] = useState(() => readEdit(me, room.room)?.seq ?? null);
  const isGone = editing !== null && held.log.snapshots.get(editing)?.deleted === true;
  useEffect(() => {
    if (!isGone) return;
    writeEdit(me, room.room, null);
    setEditing(null);
  }, [isGone, me, room.room]);
  const replying = useCallback((to: ReplyTo | null) => {
    const kept = to && { seq: to.seq, name: to.name, text: inOneLine(to.text) };
    writeReply(me, room.room, kept);
    setReplyTo(kept);
  }, [me, room.room]);
  const { said: notice, report, clear } = useTrouble();
  const [word, say] = useWord();
  const { target, isMissing } = useTarget(client, room, visit, linked, report);
  const { newAfter, seeking, onSeen } = useReading(client, room, held.log, target !== null);
  const onStand = useCallback((stand: Stand) => void client.stands.set(visit, stand), [client, visit]);

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
      reply: replying,
      copyLink(seq) {
        clear();
        copy(`${location.origin}/r/${encodeURIComponent(room.room)}/${seq}`).then(() => say(t("Link copied")), report);
      },
      find: (seq) => void followers.find(room.room, seq),
      jump: (seq) => void navigate(`/r/${encodeURIComponent(room.room)}/${seq}`),
      setEditing(seq) {
        if (readEdit(me, room.room)?.seq !== seq) writeEdit(me, room.room, null);
        setEditing(seq);
        if (seq === null && !isTouch()) composer.current?.focus();
      },
      kept(seq) {
        const edit = readEdit(me, room.room);
        return edit?.seq === seq ? edit.text : undefined;
      },
      keep: (seq, text) => writeEdit(me, room.room, { seq, text }),
    }),
    [changes, reactions, followers, replying, report, clear, say, navigate, me, room.room],
  );

  /** To the end of the room, and to its address: a permalink's would lead back when the page is loaded again. */
  const isLinked = linked !== null;
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
    replying(null);
    clear();
    toNewest();
  }

  const nothingThere =
    isMissing && t("There is no message {number} in {room}.", { number: linked ?? 0, room: room.name });
  const dismiss = () => {
    clear();
    if (!notice) toNewest(); // the address that names no message goes with what is said of it
    giveBack(composer.current);
  };

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
            ready={!seeking} visit={visit} target={target} linked={linked} editing={editing} handlers={handlers}
            retry={outbox.retry} remove={outbox.remove} load={load} onSeen={onSeen} onStand={onStand} />
        </Boundary>
      )}
      <div className={styles.foot}>
        <p className={styles.word} role="status">{word}</p>
        <Boundary instead={nothing}><TypingLine typing={typing} room={room.room} /></Boundary>
        {(notice || nothingThere) && (
          <p className={styles.notice}>
            <span role="alert">{notice || nothingThere}</span>
            <Button look="icon" small aria-label={t("Dismiss")} onClick={dismiss}>
              <Icon name="close" size={14} />
            </Button>
          </p>
        )}
      </div>
      <Boundary instead={FIELD}>
        <Composer ref={composer} user={me} room={room.room} roomName={room.name} replyTo={replyTo}
          cancelReply={() => replying(null)} send={send}
          editLast={() => handlers.setEditing(lastOwn(held.log, me)?.seq ?? null)}
          typed={() => typing.typed(room.room)} stopped={() => typing.stopped(room.room)} />
      </Boundary>
    </>
  );
});

const Unloaded = lazy(() => import("./Unloaded"));
const MESSAGES = partly(sentence("The messages"));
const FIELD = partly(sentence("The message field"));
const NOT_HELD = { log: emptyLog, failure: null, trouble: null, loading: null };

/**
 * Follows the room. Where a visit leads to: back to where one stood, else to what the address names, which is fetched
 * when it lies far back; null for the first unread message or the end, also where there is no such message.
 */
function useTarget(
  { followers, stands }: Client, { room }: Room, visit: string, linked: number | null,
  report: (thrown: unknown) => void,
): { target: Target | null; isMissing: boolean } {
  const log = useValue(followers.rooms).get(room)?.log;
  const known = (log?.generation ?? 0) > 0;
  const [looked, setLooked] = useState<string | null>(null);
  const target = useMemo<Target | null>(() => {
    const stood = stands.get(visit);
    if (stood) return stood === "end" ? null : { ...stood, visit };
    return linked === null ? null : { seq: linked, visit };
  }, [stands, visit, linked]);
  useEffect(() => followers.hold(room), [followers, room]);
  useLayoutEffect(() => {
    if (!target) followers.newest(room);
  }, [followers, room, target, visit]);
  useEffect(() => {
    if (known && target) followers.around(room, target.seq).then(() => setLooked(visit), report);
  }, [followers, room, known, target, visit, report]);
  const isMissing = looked === visit && linked !== null && target?.seq === linked && lacks(log, linked);
  return { target: isMissing ? null : target, isMissing };
}
