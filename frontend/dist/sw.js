/**
 * Opens the page while the server is away: index.html and the files it needs, as one build made them. Everything else
 * passes by: the API, sockets, other sites. It keeps nothing that belongs to a person, so signing out has nothing to
 * wipe.
 */
const FILES = ["/assets/index-Bd6M38My.js","/assets/AccountPanel-BfUuIoGC.js","/assets/AccountPanel-C_3jBflk.css","/assets/Announcer--HZVxPgp.js","/assets/Bars-CIws2NM4.js","/assets/Bars-CfS9berC.css","/assets/Brand-BPoA3jfZ.css","/assets/Brand-C8aTfoC6.js","/assets/BrowseRooms-9LwEIijn.js","/assets/ChatRoom-BqYa5tAR.css","/assets/ChatRoom-CYcNeE6U.js","/assets/CreateRoom-CDMh5RCO.js","/assets/DeleteQuestion-DYNfsNxf.js","/assets/Dialog-jdpGiPzF.css","/assets/Dialog-zkr8n0AK.js","/assets/Doors-CP3TgoLC.css","/assets/Doors-Dn8n30Hj.js","/assets/EditMessage-C9jOcFVy.css","/assets/EditMessage-uuNFEg5L.js","/assets/MembersPanel-1ORLbzeu.js","/assets/Question-COIAyhcI.js","/assets/QuickSwitcher-Crc4d9gB.js","/assets/ReactionNames-Tb88KA-R.js","/assets/ReactionPalette-B01PBR6o.js","/assets/ReactionPalette-YHGryhBs.css","/assets/RoomDialogs-COFiie1y.css","/assets/RoomDialogs.module-B3GGAwI9.js","/assets/RoomMissing-DVsCXMK2.js","/assets/ShortcutSheet-CqLbAdVB.js","/assets/ShortcutSheet-DxhNIOfm.css","/assets/SignOut-C2lwzWgE.css","/assets/SignOut-D_htvrnH.js","/assets/TextField-DVSxz_fK.js","/assets/TextField-Dd1gtSv-.css","/assets/Unloaded-DSktSYh9.js","/assets/Welcome-_IRcaVGR.css","/assets/Welcome-sLCJOyd0.js","/assets/beside-DcbLFFer.js","/assets/de--pBLrkh1.js","/assets/esm-uYvL02y0.js","/assets/index-shpetIfk.css","/assets/jsx-runtime-Dgo0ecP2.js","/assets/rolldown-runtime-XKyaHtl9.js","/assets/serif-BeRplAVU.woff2","/assets/useListed-DxLz0mZV.js"]; // the build's files under assets/, the first one is what index.html starts with (vite.config.ts)
const SHELL = "shell-59b27c3682625d92";
const PATIENCE_MS = 2_000;
const PAGES = /^\/((login|register)\/?|r\/.*)?$/;

/**
 * All or nothing. While a new version is being rolled out, index.html may be of another build: then it is for later.
 */
async function keep() {
  const index = await fetch("/", { cache: "no-cache" });
  const text = await index.clone().text();
  if (!index.ok || index.redirected || !text.includes(FILES[0])) throw new Error("index.html is not of this build");
  const shell = await caches.open(SHELL);
  await shell.addAll(FILES);
  await shell.put("/", index);
}

/** Runs when no tab is on an older build any more. */
async function forgetOlder() {
  for (const name of await caches.keys()) if (name !== SHELL) await caches.delete(name);
}

/** What is in store; nothing when the store refuses, or does not answer within a moment: then the server is asked. */
function kept(path) {
  const found = caches.open(SHELL).then((shell) => shell.match(path, { ignoreVary: true })).catch(() => undefined);
  return Promise.race([found, new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))]);
}

/** The server's own answer, unless there is none or only a proxy's word that the server is away. */
async function page(request) {
  const answer = await fetch(request).catch(() => null);
  if (answer && answer.status < 500) return answer;
  return (await kept("/")) ?? answer ?? Response.error();
}

const file = async (request, path) => (await kept(path)) ?? fetch(request);

self.addEventListener("install", (event) => event.waitUntil(keep()));
self.addEventListener("activate", (event) => event.waitUntil(forgetOlder()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return;
  if (request.mode === "navigate" && PAGES.test(pathname)) event.respondWith(page(request));
  else if (FILES.includes(pathname)) event.respondWith(file(request, pathname));
});
