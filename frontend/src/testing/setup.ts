import { cleanup, configure } from "@testing-library/react";
import "fake-indexeddb/auto";
import { afterEach } from "vitest";

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
