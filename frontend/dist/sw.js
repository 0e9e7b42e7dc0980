/**
 * Opens the page while the server is away: index.html and the files it needs, as one build made them. Everything else
 * passes by: the API, sockets, other sites. It keeps nothing that belongs to a person, so signing out has nothing to
 * wipe.
 */
const FILES = ["/assets/index-WW-nIc0X.js","/assets/AccountPanel-CThMCzXz.js","/assets/AccountPanel-DfcTjIG0.css","/assets/Announcer-CwFZMRja.js","/assets/Bars-DINZPG50.js","/assets/Bars-SFYjCLyB.css","/assets/Brand-BHnOIWyP.css","/assets/Brand-CTPEDua6.js","/assets/BrowseRooms-C2MFqu7w.js","/assets/ChatRoom-B7owM-js.css","/assets/ChatRoom-J5B1S5pw.js","/assets/CreateRoom-xDvof3Ad.js","/assets/DeleteQuestion-DK5ITVJO.js","/assets/Doors-ByTMep73.css","/assets/Doors-EqU8V8n0.js","/assets/EditMessage-DU2mQ5Av.js","/assets/EditMessage-DyxWbg2J.css","/assets/MembersPanel-9RLWjPCS.js","/assets/Question-Qi9c_gTS.js","/assets/QuickSwitcher-RPfvQkg4.js","/assets/ReactionNames-Cr72oGL_.js","/assets/ReactionPalette-D52_eJwQ.js","/assets/ReactionPalette-ZReGCk_G.css","/assets/RoomDialogs-D-ncbFii.css","/assets/RoomDialogs.module-BdGGOL4W.js","/assets/RoomMissing-DdHBmJf1.js","/assets/ShortcutSheet-Bzp-hlAk.js","/assets/ShortcutSheet-Csa25nFR.css","/assets/SignOut-BMsY8kLM.js","/assets/SignOut-DrZzEDiE.css","/assets/TextField-CCoEugxq.js","/assets/TextField-CsMzfVVk.css","/assets/Unloaded-_Hf_rZ_f.js","/assets/Welcome-COnudk-g.css","/assets/Welcome-X8ERx3K0.js","/assets/beside-hjqdWVLL.js","/assets/de-D2l9P8Vo.js","/assets/esm-uYvL02y0.js","/assets/focus-v2qkZfbg.js","/assets/icons-BXtpSWIY.js","/assets/index-Dzay7YSd.css","/assets/jsx-runtime-DMcG8Mu7.js","/assets/rolldown-runtime-XKyaHtl9.js","/assets/touch-CnkDkMM7.js","/assets/useListed-BCzMIoQy.js"]; // the build's files under assets/, the first one is what index.html starts with (vite.config.ts)
const SHELL = "shell-c758d4273ee68e5e";
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
