/**
 * Opens the page while the server is away: index.html and the files it needs, as one build made them. Everything else
 * passes by: the API, sockets, other sites. It keeps nothing that belongs to a person, so signing out has nothing to
 * wipe.
 */
const FILES = ["/assets/index-DZFmNu7q.js","/assets/AccountPanel-BQmV6pQK.js","/assets/AccountPanel-DfcTjIG0.css","/assets/Announcer-Dj2KCuAP.js","/assets/Bars-CleihD-p.js","/assets/Bars-SFYjCLyB.css","/assets/Brand-BHnOIWyP.css","/assets/Brand-eHVVLHr7.js","/assets/BrowseRooms-vjKhOR8h.js","/assets/ChatRoom-CAkRbMWE.css","/assets/ChatRoom-DsV30oMK.js","/assets/CreateRoom-Cx8RdLgj.js","/assets/DeleteQuestion-CrN5hygX.js","/assets/Doors-ByTMep73.css","/assets/Doors-cKCMuVOa.js","/assets/EditMessage-2WjjRyKF.js","/assets/EditMessage-DyxWbg2J.css","/assets/MembersPanel-xjF3qo_q.js","/assets/Question-S8w2tQrH.js","/assets/QuickSwitcher-SOl0htzL.js","/assets/ReactionNames-D2k1Ob9m.js","/assets/ReactionPalette-5zvs6xMB.js","/assets/ReactionPalette-ZReGCk_G.css","/assets/RoomDialogs-D-ncbFii.css","/assets/RoomDialogs.module-BdGGOL4W.js","/assets/RoomMissing-BJCOR0cx.js","/assets/ShortcutSheet-Csa25nFR.css","/assets/ShortcutSheet-DpgnISul.js","/assets/SignOut-DrZzEDiE.css","/assets/SignOut-vRCg4-X7.js","/assets/TextField-CCoEugxq.js","/assets/TextField-CsMzfVVk.css","/assets/Unloaded-KrY-Xxvf.js","/assets/Welcome-B_2LSB64.js","/assets/Welcome-COnudk-g.css","/assets/beside-hjqdWVLL.js","/assets/de-D2l9P8Vo.js","/assets/esm-uYvL02y0.js","/assets/focus-v2qkZfbg.js","/assets/icons-BXtpSWIY.js","/assets/index-Dzay7YSd.css","/assets/jsx-runtime-DMcG8Mu7.js","/assets/rolldown-runtime-XKyaHtl9.js","/assets/touch-CnkDkMM7.js","/assets/useListed-BGFKYMie.js"]; // the build's files under assets/, the first one is what index.html starts with (vite.config.ts)
const SHELL = "shell-2adbbf53274814f1";
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
