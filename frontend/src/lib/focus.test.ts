import { afterEach, beforeEach, expect, it } from "vitest";
import { settled } from "@/testing/fakeClock";
import { keepFocus } from "./keepFocus";

let stop: () => void;
const find = (selector: string) => document.querySelector<HTMLElement>(selector);
const focused = () => document.activeElement?.id || document.activeElement?.tagName;

beforeEach(() => {
  document.body.innerHTML = `
    <button data-home id="rooms"></button>
    <main>
      <p id="line"><button id="try"></button></p>
      <article id="message" tabindex="-1"><p id="pills"><button id="pill"></button></p></article>
      <textarea aria-label="Message" id="field"></textarea>
    </main>
    <dialog open>
      <input id="name">
      <ul><li id="a"><button id="out-a"></button></li><li id="b"><button id="out-b"></button></li></ul>
      <button id="leave"></button>
    </dialog>`;
  stop = keepFocus();
});
afterEach(() => {
  stop();
  document.body.innerHTML = "";
});

async function gone(selector: string, what = selector) {
  find(selector)?.focus();
  find(what)?.remove();
  await settled();
}

it("of a row that is gone is the next row's, in a dialog", async () => {
  await gone("#out-a", "#a");
  expect(focused()).toBe("out-b");
  await gone("#out-b", "#b");
  expect(focused()).toBe("leave");
  await gone("#leave");
  expect(focused()).toBe("name");
});

it("is found where it stood, also when rows above it went before", async () => {
  find("#leave")?.focus();
  find("#a")?.remove();
  await settled();
  find("#b")?.insertAdjacentHTML("beforeend", '<button id="again"></button>');
  await settled();
  await gone("#out-b");
  expect(focused()).toBe("again");
});

it("of a part of a message is the message's", async () => {
  await gone("#pill", "#pills");
  expect(focused()).toBe("message");
});

it("of anything else goes home", async () => {
  await gone("#try", "#line");
  expect(focused()).toBe("rooms");
});

it("is left alone where somebody let go of it, or it went elsewhere", async () => {
  find("#try")?.focus();
  find("#message")?.dispatchEvent(new Event("pointerdown", { bubbles: true }));
  find("#try")?.blur();
  find("#line")?.remove();
  await settled();
  expect(focused()).toBe("BODY");
  find("#pill")?.focus();
  find("#field")?.focus();
  find("#pills")?.remove();
  await settled();
  expect(focused()).toBe("field");
});
