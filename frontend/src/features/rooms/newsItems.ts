/** What somebody else did with my membership of a room, until I have seen it. */
export interface News {
  kind: "invited" | "removed";
  room: string;
  name: string;
  by: string | undefined;
}
