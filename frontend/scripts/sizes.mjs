/** Prints what each first paint and each later piece weighs, gzipped; fails above the figures that we promise. */
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const DIST = new URL("../dist/", import.meta.url);
/** Fetched beside the first paint, which shows rooms and messages by HTTP. */
const SOCKET = "node_modules/socket.io-client/build/esm/index.js";
const ROUTES = [
  { name: "login", limit_kb: 92, parts: ["index.html", "src/app/Doors.tsx"] },
  { name: "chat shell", limit_kb: 125, parts: ["index.html", "src/app/ChatRoom.tsx"] },
  { name: "chat live", limit_kb: 135, parts: ["index.html", "src/app/ChatRoom.tsx", SOCKET] },
];
/** What is fetched only when it is wanted, each by itself: without what is there already, with what others share. */
const PIECES = {
  "src/words/de.po": 7,
  "src/app/Announcer.tsx": 1.6,
  "src/app/Bars.tsx": 3.4,
  "src/app/RoomMissing.tsx": 2.2,
  "src/app/ShortcutSheet.tsx": 1.9,
  "src/app/SignOut.tsx": 1.9,
  "src/app/Unloaded.tsx": 1,
  "src/features/auth/AccountPanel.tsx": 4.7,
  "src/features/messages/message/DeleteQuestion.tsx": 1.2,
  "src/features/messages/message/EditMessage.tsx": 1.3,
  "src/features/messages/reactions/ReactionNames.tsx": 1,
  "src/features/messages/reactions/ReactionPalette.tsx": 2,
  "src/features/messages/timeline/Welcome.tsx": 1.6,
  "src/features/rooms/BrowseRooms.tsx": 3.2,
  "src/features/rooms/CreateRoom.tsx": 3.6,
  "src/features/rooms/MembersPanel.tsx": 5,
  "src/features/rooms/QuickSwitcher.tsx": 4,
};

/** Fetched as they are, by the style sheet that is fetched first. */
const FONTS = { "src/app/serif.woff2": 20 };

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

const kb = (file) => readFileSync(new URL(file, DIST)).length / 1000;
const gzip_kb = (file) => gzipSync(readFileSync(new URL(file, DIST)), { level: 9 }).length / 1000;

let failed = false;
function weigh(name, limit_kb, files, each) {
  const total = files.reduce((sum, file) => sum + gzip_kb(file), 0);
  const over = total > limit_kb;
  failed ||= over;
  console.log(`${over ? "OVER " : "ok   "}${name.padEnd(16)} ${total.toFixed(1).padStart(6)} kB gzip of ${limit_kb}`);
  if (each) for (const file of files) console.log(`       ${gzip_kb(file).toFixed(1).padStart(6)}  ${file}`);
}

for (const { name, limit_kb, parts } of ROUTES)
  weigh(name, limit_kb, [...new Set(parts.flatMap((part) => [...filesOf(part)]))], true);

const [, { parts: shell }] = ROUTES;
const there = new Set(shell.flatMap((part) => [...filesOf(part)]));
const lazy = Object.keys(manifest).filter((key) => manifest[key].isDynamicEntry);
const measured = [...ROUTES.flatMap(({ parts }) => parts), ...Object.keys(PIECES)];
for (const key of lazy.filter((each) => !measured.includes(each))) {
  failed = true;
  console.log(`OVER ${key} is fetched by itself and has no limit in scripts/sizes.mjs`);
}
for (const [key, limit_kb] of Object.entries(PIECES)) {
  const name = key.replace(/^.*\/|\.tsx$/g, "");
  weigh(name, limit_kb, [...filesOf(key)].filter((file) => !there.has(file)), false);
}
for (const [key, limit_kb] of Object.entries(FONTS)) {
  const own_kb = kb(manifest[key].file);
  failed ||= own_kb > limit_kb;
  const mark = own_kb > limit_kb ? "OVER " : "ok   ";
  console.log(`${mark}${key.replace(/^.*\//, "").padEnd(16)} ${own_kb.toFixed(1).padStart(6)} kB of ${limit_kb}`);
}
process.exit(failed ? 1 : 0);
