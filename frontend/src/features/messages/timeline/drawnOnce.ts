import type { ReactElement } from "react";
import type { Row } from "./timeline";

/** Where it stands, whether the keyboard comes in there and is in it, and whether it is the last. */
type Look = [index: number, active: boolean, entered: boolean, last: boolean];

/**
 * Draws rows. One that looks as it did is the element that it was, which React leaves alone: the list is made anew with
 * every message, measured row and pixel that it is scrolled. Notes are always drawn: the names in them are learned by
 * the way.
 */
export function drawnOnce(draw: (row: Row, ...look: Look) => ReactElement) {
  const drawn = new WeakMap<Row, [look: string, element: ReactElement]>();
  return (row: Row, ...look: Look): ReactElement => {
    const [before, element] = drawn.get(row) ?? [];
    if (element && before === `${look}` && row.kind !== "note") return element;
    const made = draw(row, ...look);
    drawn.set(row, [`${look}`, made]);
    return made;
  };
}
