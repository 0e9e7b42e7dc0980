import { render, screen } from "@testing-library/react";
import { expect, it } from "vitest";
import { emptyLog, reduceLog, type LogAction, type RoomLog } from "@/features/messages/log/log";
import { message, page, range, sent } from "@/testing/messages";
import { MessageList } from "./MessageList";
import { timelineOf } from "./timeline";

Element.prototype.scrollTo = () => {};

const after = (log: RoomLog, ...actions: LogAction[]) => actions.reduce(reduceLog, log);
/** A room of 600 messages, all of them read, of which a permalink shows those around the 300th. */
const linked = after(
  emptyLog,
  { type: "page", asked: 0, page: page(range(551, 600).map(sent), { head: 600, more: true }) },
  { type: "around", page: page(range(250, 349).map(sent), { head: 600, more: true }) },
);
const live = (seq: number): LogAction => ({ type: "live", generation: 1, entry: sent(seq), snapshot: message(seq) });
const reaction: LogAction = {
  type: "live", generation: 1, entry: { seq: 601, kind: "change", message: 300 }, snapshot: message(300, { rev: 601 }),
};

function show(log: RoomLog) {
  const nothing = () => {};
  const element = (now: RoomLog) => (
    <MessageList
      label="Messages"
      log={now}
      rows={timelineOf({ log: now, pending: [], me: "ada", newAfter: null })}
      ready
      visit="v"
      target={{ seq: 300, visit: "v" }}
      renderRow={({ key }) => <p>{key}</p>}
      loadOlder={nothing}
      loadNewer={nothing}
      toNewest={nothing}
      onSeen={nothing}
      onStand={nothing}
    />
  );
  const { rerender } = render(element(log));
  return (next: RoomLog) => rerender(element(next));
}

const pill = () => screen.getByRole("button").textContent?.trim();

it("is called new when somebody said something, not when more of what was said is fetched", () => {
  const now = show(linked);
  expect(pill()).toBe("To the newest");
  const longer = after(linked, {
    type: "newer", after: 349, page: page(range(350, 449).map(sent), { head: 600, more: true }),
  });
  now(longer);
  expect(pill()).toBe("To the newest");
  now(after(longer, reaction));
  expect(pill()).toBe("To the newest");
  now(after(longer, live(601)));
  expect(pill()).toBe("New messages");
});
