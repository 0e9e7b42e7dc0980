import type { Followers } from "@/features/messages/log/followers";
import type { Rooms } from "@/features/rooms/rooms";

/** A room that is no longer mine is followed no more. The answer ends it. */
export const dropLeftRooms = ({ list }: Rooms, followers: Followers): (() => void) =>
  list.subscribe(() => {
    const { loaded, rooms: mine } = list.get();
    if (loaded) for (const room of followers.rooms.get().keys()) if (!mine.has(room)) followers.drop(room);
  });
