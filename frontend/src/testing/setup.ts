import "fake-indexeddb/auto";
import { afterEach } from "vitest";

// What has no page (`// @vitest-environment node`) starts without one: that takes longer than most of it.
if (typeof window !== "undefined") await page();

async function page() {
  const { cleanup, configure } = await import("@testing-library/react");
  configure({ asyncUtilTimeout: 30_000 }); // a busy machine is late with all it does

  // What jsdom lacks of a browser. Nothing here knows about Parley.
  HTMLDialogElement.prototype.showModal = function showModal() {
    this.open = true;
  };
  HTMLDialogElement.prototype.close = function close() {
    this.open = false;
  };
  globalThis.ResizeObserver = class {
    observe() {}
    unobserve() {}
    disconnect() {}
  };
  window.matchMedia = (media: string) =>
    ({ matches: false, media, addEventListener() {}, removeEventListener() {} }) as unknown as MediaQueryList;

  afterEach(() => {
    cleanup();
    localStorage.clear();
  });
}
