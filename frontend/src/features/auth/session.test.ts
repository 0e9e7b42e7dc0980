import { describe, expect, it } from "vitest";
import { loginPath, nextPath } from "./session";

describe("where to go after signing in", () => {
  it.each([
    ["?next=%2Fr%2Fgeneral%2F12", "/r/general/12"],
    ["?next=%2Fr%2Fdesign%3Fa%3D1%23b", "/r/design?a=1#b"],
    ["", "/"],
  ])("%s leads to %s", (search, path) => expect(nextPath(search)).toBe(path));

  it.each([
    "https://evil.example/",
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "javascript:alert(1)",
    "r/general",
    "http:evil.example",
    "/login?next=/login",
    "/register",
    "/\t/evil.example",
    "/.//evil.example",
    "/x/..//evil.example",
    "/%2e//evil.example",
  ])("never to %s", (next) => expect(nextPath(`?next=${encodeURIComponent(next)}`)).toBe("/"));
});

it("the way to the login page remembers the place, unless it is the start", () => {
  expect([loginPath({ pathname: "/r/general/7", search: "" }), loginPath({ pathname: "/", search: "" })]).toEqual([
    "/login?next=%2Fr%2Fgeneral%2F7",
    "/login",
  ]);
});
