const APART_PX = 8;

/**
 * Puts a fixed element above another, flush with that edge of it, or below where there is no room; always within the
 * window.
 */
export function placeBeside(element: HTMLElement, anchor: Element, edge: "left" | "right"): void {
  const { top, bottom, left, right } = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = element;
  const above = top - height - APART_PX;
  const wanted = edge === "left" ? left : right - width;
  element.style.top = `${above >= APART_PX ? above : Math.min(bottom + APART_PX, innerHeight - height - APART_PX)}px`;
  element.style.left = `${Math.max(APART_PX, Math.min(wanted, innerWidth - width - APART_PX))}px`;
}
