import { act, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { MemoryRouter } from "react-router";
import { beforeEach, expect, it } from "vitest";
import { offline, type Failure } from "@/lib/failure";
import type { Http } from "@/lib/http";
import { fakeClock } from "@/testing/fakeClock";
import type { Ask, RoomName } from "@/types/protocol";
import BrowseRooms from "./BrowseRooms";
import QuickSwitcher from "./QuickSwitcher";
import { createRooms, type Rooms } from "./rooms";

let time: ReturnType<typeof fakeClock>;
let rooms: Rooms;
let joinable: RoomName[];
let away: Failure | null;
let answer: Promise<void>;

const garden: RoomName = { room: "garden", name: "Garden" };
const EVERY = "You are in every public room there is.";
const UNKNOWN = /^Which rooms there are cannot be known now\. The server cannot be reached\./;

beforeEach(async () => {
  time = fakeClock();
  [joinable, away, answer] = [[], null, Promise.resolve()];
  const http = (async () => {
    await answer;
    if (away) throw away;
    return { rooms: [], joinable: [...joinable] };
  }) as Http;
  rooms = createRooms({ user: "ada", base: "", http, ask: (async () => ({})) as unknown as Ask, clock: time.clock });
  await rooms.refetch();
});

const browse = () => render(<BrowseRooms rooms={rooms} onDone={() => {}} onCreate={() => {}} onClose={() => {}} />);
const goTo = () =>
  render(
    <MemoryRouter>
      <QuickSwitcher rooms={rooms} onPick={() => {}} onClose={() => {}} />
    </MemoryRouter>,
  );

it("browsing shows a room that somebody else has made since, and again each time it is opened", async () => {
  joinable = [garden];
  const first = browse();
  await screen.findByRole("button", { name: "Join Garden" });
  first.unmount();
  joinable = [garden, { room: "books", name: "Books" }];
  browse();
  await screen.findByRole("button", { name: "Join Books" });
});

it("browsing says that there are no others when the server has just said so, not before", async () => {
  let say = () => {};
  answer = new Promise((resolve) => (say = resolve));
  browse();
  expect(screen.queryByText(EVERY)).toBeNull();
  say();
  await screen.findByText(EVERY);
});

it("browsing while the server is away says that it cannot be known, until it can", async () => {
  away = offline();
  browse();
  await screen.findByText(UNKNOWN);
  expect(screen.queryByText(EVERY)).toBeNull();
  [away, joinable] = [null, [garden]];
  await act(() => time.go(60_000));
  await screen.findByRole("button", { name: "Join Garden" });
  expect(screen.queryByText(UNKNOWN)).toBeNull();
});

it("going to a room finds one that somebody else has made since", async () => {
  joinable = [garden];
  goTo();
  await userEvent.type(screen.getByRole("combobox"), "gar");
  await waitFor(() => expect(screen.getByRole("option").textContent).toBe("Gardenjoin"));
});

it("going to a room while the server is away does not say that there is none", async () => {
  away = offline();
  goTo();
  await userEvent.type(screen.getByRole("combobox"), "gar");
  await screen.findByText(UNKNOWN);
  expect(screen.queryByText("No room is called like that.")).toBeNull();
  away = null;
  await act(() => time.go(60_000));
  await screen.findByText("No room is called like that.");
});
