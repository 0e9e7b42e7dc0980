import { useEffect, useLayoutEffect, useRef } from "react";

interface Layer {
  close(): void;
}

/** What lies over the page, the uppermost last. Each has an entry in the browser's history, so that Back closes it. */
const layers: Layer[] = [];
let planned = false;
/** Back was asked for here, and has not come yet. */
let returning = false;

/** At which layer the browser's history stands. An entry of the router says nothing of layers. */
const depth = () => Number((history.state as { layers?: number } | null)?.layers ?? 0);

/** Once a turn is over, so that one layer that gives way to another leaves no trace. */
function settle() {
  planned = false;
  if (returning) return;
  for (let at = depth() + 1; at <= layers.length; at += 1) history.pushState({ ...history.state, layers: at }, "");
  const over = depth() - layers.length;
  returning = over > 0;
  if (returning) history.go(-over);
}

function plan() {
  if (!planned) queueMicrotask(settle);
  planned = true;
}

addEventListener("popstate", () => {
  if (returning) {
    returning = false;
    return plan();
  }
  while (layers.length > depth()) layers.pop()?.close();
});

/** Something lies over the page: whoever goes elsewhere from there comes back to the page without it. */
export const isCovered = (): boolean => layers.length > 0 && depth() > 0;

/** Back closes what is open instead of leaving the page. */
export function useLayer(isOpen: boolean, close: () => void): void {
  const closing = useRef(close);
  useLayoutEffect(() => void (closing.current = close), [close]);
  useEffect(() => {
    if (!isOpen) return;
    const layer = { close: () => closing.current() };
    layers.push(layer);
    plan();
    return () => {
      const at = layers.indexOf(layer);
      if (at < 0) return;
      layers.splice(at, 1);
      plan();
    };
  }, [isOpen]);
}
