/** Prints what each route's first paint weighs, gzipped, and fails above the figures we promise. */
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const DIST = new URL("../dist/", import.meta.url);
/** Fetched beside the first paint, which shows rooms and messages by HTTP. */
const SOCKET = "node_modules/socket.io-client/build/esm/index.js";
const ROUTES = [
  { name: "login", limit_kb: 92, parts: ["index.html"] },
  { name: "chat shell", limit_kb: 125, parts: ["index.html", "src/app/ChatRoom.tsx"] },
  { name: "chat live", limit_kb: 135, parts: ["index.html", "src/app/ChatRoom.tsx", SOCKET] },
];

const manifest = JSON.parse(readFileSync(new URL(".vite/manifest.json", DIST), "utf8"));

function filesOf(key, seen = new Set()) {
  const chunk = manifest[key];
  if (!chunk) throw new Error(`${key} is not in the build: ${Object.keys(manifest).join(", ")}`);
  if (seen.has(chunk.file)) return seen;
  seen.add(chunk.file);
  for (const css of chunk.css ?? []) seen.add(css);
  for (const imported of chunk.imports ?? []) filesOf(imported, seen);
  return seen;
}

const gzip_kb = (file) => gzipSync(readFileSync(new URL(file, DIST)), { level: 9 }).length / 1000;

let failed = false;
for (const { name, limit_kb, parts } of ROUTES) {
  const files = new Set(parts.flatMap((part) => [...filesOf(part)]));
  const total = [...files].reduce((sum, file) => sum + gzip_kb(file), 0);
  const over = total > limit_kb;
  failed ||= over;
  console.log(`${over ? "OVER " : "ok   "}${name.padEnd(12)} ${total.toFixed(1).padStart(6)} kB gzip of ${limit_kb}`);
  for (const file of files) console.log(`       ${gzip_kb(file).toFixed(1).padStart(6)}  ${file}`);
}
process.exit(failed ? 1 : 0);
