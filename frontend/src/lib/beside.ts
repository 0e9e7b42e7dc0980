const APART_PX = 8;

/**
 * Puts a fixed element beside another: flush with its right edge above it, flush with its left edge below it, where it
 * does not cover what it tells of. On the other side where there is no room; always within the window.
 */
export function placeBeside(element: HTMLElement, anchor: Element, edge: "left" | "right"): void {
  const { top, bottom, left, right } = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = element;
  const above = top - height - APART_PX;
  const below = bottom + APART_PX;
  const lowest = innerHeight - height - APART_PX;
  const isAbove = edge === "right" ? above >= APART_PX : below > lowest;
  const wanted = edge === "left" ? left : right - width;
  element.style.top = `${isAbove ? above : Math.min(below, lowest)}px`;
  element.style.left = `${Math.max(APART_PX, Math.min(wanted, innerWidth - width - APART_PX))}px`;
}
