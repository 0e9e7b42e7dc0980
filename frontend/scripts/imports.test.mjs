// @vitest-environment node
import { describe, expect, it } from "vitest";
import { circlesIn, importsOf, readSources } from "./imports.mjs";

const circles = (files) => circlesIn(importsOf(new Map(Object.entries(files))));

describe("the page", () => {
  const imports = importsOf(readSources());

  it("has no file that imports itself by way of others", () => expect(circlesIn(imports)).toEqual([]));

  it("is read, types and lazy parts too", () => {
    expect(imports.get("app/App.tsx")).toContain("app/ChatRoom.tsx");
    expect(imports.get("app/Sidebar.tsx")).toContain("app/panels.ts");
    expect(imports.size).toBeGreaterThan(100);
  });
});

it.each([
  ["a value", 'import { b } from "./b";'],
  ["a type", 'import type { B } from "./b";'],
  ["a type among values", 'import { type B } from "./b";'],
  ["a lazy part", 'const b = () => import("./b");'],
  ["what it hands on", 'export * from "./b";'],
  ["nothing but its effect", 'import "@/b";'],
  ["a type in passing", 'let b: import("./b").B;'],
])("a file that imports %s of one that imports it is a circle", (_, text) => {
  expect(circles({ "a.ts": text, "b.tsx": 'import type { C } from "@/c/c";', "c/c.ts": 'import "@/a";' })).toEqual([
    ["a.ts", "b.tsx", "c/c.ts", "a.ts"],
  ]);
  expect(circles({ "a.ts": text, "b.tsx": 'import type { C } from "@/c/c";', "c/c.ts": 'import "react";' })).toEqual(
    [],
  );
});

it("a file that imports itself is one", () => expect(circles({ "a.ts": 'import "./a";' })).toEqual([["a.ts", "a.ts"]]));

it("two that import a third are none", () => {
  expect(circles({ "a.ts": 'import "./b"; import "./c";', "b.ts": 'import "./c";', "c.ts": "" })).toEqual([]);
});
