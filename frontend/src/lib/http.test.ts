import { afterEach, describe, expect, it, vi } from "vitest";
import { Failure, failureOf } from "./failure";
import { createHttp, reach } from "./http";

const listeners = { unauthenticated: vi.fn(), mismatch: vi.fn() };
const http = (user?: string) => createHttp(() => user, listeners);
const failed = async (asking: Promise<unknown>) => asking.then(() => null, (thrown: unknown) => thrown);

/** As a browser's: it throws a TypeError for what is no header, as it does for a network that is away. */
const answering = (answer: () => Promise<Response>) =>
  vi.stubGlobal("fetch", vi.fn(async (_url: string, init: RequestInit = {}) => (new Headers(init.headers), answer())));

afterEach(() => vi.unstubAllGlobals());

describe("no answer", () => {
  it.each([
    ["a network that is away", new TypeError("Failed to fetch")],
    ["a request that was given up", new DOMException("", "AbortError")],
  ])("%s is offline", async (_what, thrown) => {
    answering(() => Promise.reject(thrown));
    expect(await failed(http("ada")("POST", "/api/rooms", {}))).toMatchObject({ code: "offline", retry: true });
  });

  it("a network that goes away in the middle of the answer is offline", async () => {
    answering(
      async () =>
        ({ ok: true, status: 200, text: () => Promise.reject(new TypeError("network error")) }) as unknown as Response,
    );
    expect(await failed(http()("GET", "/api/rooms"))).toMatchObject({ code: "offline" });
  });
});

describe("a mistake of this page", () => {
  const quiet = () => vi.spyOn(console, "error").mockImplementation(() => {});
  const loop: { self?: object } = {};
  loop.self = loop;

  it.each<[string, () => Promise<unknown>]>([
    ["a header with letters beyond Latin-1", () => reach("/api/rooms", { headers: { "X-Parley-User": "иван" } })],
    ["an address that is none", () => reach("http://")],
    ["a body that cannot be written down", () => http()("POST", "/api/rooms", loop)],
    ["half a letter in a name", () => http("\ud83d")("POST", "/api/rooms", {})],
  ])("is not offline, and asks nobody: %s", async (_what, asking) => {
    answering(async () => new Response("{}"));
    const thrown = await failed(asking());
    expect(thrown).not.toBeNull();
    expect(thrown).not.toBeInstanceOf(Failure);
    expect(fetch).not.toHaveBeenCalled();
  });

  it("is said plainly, is on the console, and is not tried again by itself", () => {
    const seen = quiet();
    const mistake = new TypeError("undefined is not a function");
    expect(failureOf(mistake)).toMatchObject({
      code: "broken", message: expect.stringContaining("Something went wrong") as string, retry: false,
    });
    expect(seen).toHaveBeenCalledWith(mistake);
  });

  it("is not what another's page in the server's place is", async () => {
    answering(async () => new Response("<!doctype html>"));
    expect(await failed(http()("GET", "/api/rooms"))).toMatchObject({ code: "garbled", retry: true });
  });
});
