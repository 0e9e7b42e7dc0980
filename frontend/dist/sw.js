/**
 * Opens the page while the server is away: index.html and the files it needs, as one build made them. Everything else
 * passes by: the API, sockets, other sites. It keeps nothing that belongs to a person, so signing out has nothing to
 * wipe.
 */
const FILES = ["/assets/index-DwGKTr2-.js","/assets/AccountPanel-BmHwBI1w.js","/assets/AccountPanel-C_3jBflk.css","/assets/Announcer-Dd_Qiayd.js","/assets/Bars-CQCWt3_r.js","/assets/Bars-CfS9berC.css","/assets/Brand-BPoA3jfZ.css","/assets/Brand-qYoJlRuX.js","/assets/BrowseRooms-CPDBwdtG.js","/assets/ChatRoom-BfYyeTDf.js","/assets/ChatRoom-kMy4wZwB.css","/assets/CreateRoom-DEnphFea.js","/assets/DeleteQuestion-BHWB9nHY.js","/assets/Dialog-hsG33yt8.js","/assets/Dialog-jdpGiPzF.css","/assets/Doors-CP3TgoLC.css","/assets/Doors-m84cFBPN.js","/assets/EditMessage-BNe6UPg6.js","/assets/EditMessage-C9jOcFVy.css","/assets/MembersPanel-DJCqwL3M.js","/assets/Question-cbGrK7C9.js","/assets/QuickSwitcher-C1U-kBVu.js","/assets/ReactionNames-XzZdNjaC.js","/assets/ReactionPalette-BBDHDqw-.js","/assets/ReactionPalette-YHGryhBs.css","/assets/RoomDialogs-COFiie1y.css","/assets/RoomDialogs.module-B3GGAwI9.js","/assets/RoomMissing-MeUlFhjr.js","/assets/ShortcutSheet-B6PLryR6.js","/assets/ShortcutSheet-DxhNIOfm.css","/assets/SignOut-C2lwzWgE.css","/assets/SignOut-DQw6We2v.js","/assets/TextField-DVSxz_fK.js","/assets/TextField-Dd1gtSv-.css","/assets/Unloaded-DZgJvX0G.js","/assets/Welcome-BiAQL_IX.js","/assets/Welcome-_IRcaVGR.css","/assets/beside-DcbLFFer.js","/assets/de--pBLrkh1.js","/assets/esm-uYvL02y0.js","/assets/index-shpetIfk.css","/assets/jsx-runtime-Dgo0ecP2.js","/assets/rolldown-runtime-XKyaHtl9.js","/assets/serif-BeRplAVU.woff2","/assets/useListed-Ck8KorjG.js"]; // the build's files under assets/, the first one is what index.html starts with (vite.config.ts)
const SHELL = "shell-74525ca7ff4152c9";
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
