/** Who imports whom in the page, types too: fails when a file imports itself by way of others. */
import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import ts from "typescript";

const SRC = join(import.meta.dirname, "../src");
const ENDINGS = ["", ".ts", ".tsx"];

/** Path → text of every file of the page, as seen from `src`. */
export function readSources(folder = SRC) {
  const names = readdirSync(folder, { recursive: true }).filter((name) => /\.tsx?$/.test(name));
  return new Map(names.map((name) => [name, readFileSync(join(folder, name), "utf8")]));
}

/**
 * Path → the paths that it imports: at run time, lazily, or for a type alone. Packages and style sheets are left out.
 */
export function importsOf(sources) {
  const target = (from, { fileName: name }) => {
    const path = name.startsWith("@/")
      ? name.slice(2)
      : name.startsWith(".")
        ? posix.join(posix.dirname(from), name)
        : null;
    return path === null ? undefined : ENDINGS.map((ending) => path + ending).find((each) => sources.has(each));
  };
  const found = ([path, text]) =>
    ts.preProcessFile(text, true, true).importedFiles.flatMap((each) => target(path, each) ?? []);
  return new Map([...sources].map((source) => [source[0], found(source)]));
}

/** Each way back to where it began, one for every import that closes a circle. */
export function circlesIn(imports) {
  const circles = [];
  const done = new Set();
  const walk = (path, way) => {
    const at = way.indexOf(path);
    if (at >= 0) return void circles.push([...way.slice(at), path]);
    if (done.has(path)) return;
    for (const next of imports.get(path) ?? []) walk(next, [...way, path]);
    done.add(path);
  };
  for (const path of imports.keys()) walk(path, []);
  return circles;
}

if (process.argv[1] === import.meta.filename) {
  const circles = circlesIn(importsOf(readSources()));
  for (const circle of circles) console.log(circle.join(" → "));
  process.exit(circles.length > 0 ? 1 : 0);
}
