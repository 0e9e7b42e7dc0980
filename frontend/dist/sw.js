/**
 * Opens the page while the server is away: index.html and the files it needs, as one build made them. Everything else
 * passes by: the API, sockets, other sites. It keeps nothing that belongs to a person, so signing out has nothing to
 * wipe.
 */
const FILES = ["/assets/index-Ct38YYET.js","/assets/AccountPanel-B3mmkxfS.js","/assets/AccountPanel-C_3jBflk.css","/assets/Announcer-Ce_i622d.js","/assets/Bars-CfS9berC.css","/assets/Bars-DqZMk_qC.js","/assets/Brand-BPoA3jfZ.css","/assets/Brand-BSYB5gRv.js","/assets/BrowseRooms-0eVfwykn.js","/assets/ChatRoom-BHL8RJnI.js","/assets/ChatRoom-CRdk2QLi.css","/assets/CreateRoom-DicSeeCH.js","/assets/DeleteQuestion-BA9hn3KJ.js","/assets/Doors-CP3TgoLC.css","/assets/Doors-XSpPd79X.js","/assets/EditMessage-C9jOcFVy.css","/assets/EditMessage-CN307KM9.js","/assets/MembersPanel-BCarVMQT.js","/assets/Question-DLMF1iI0.js","/assets/QuickSwitcher-Crf5P251.js","/assets/ReactionNames-148RSFe1.js","/assets/ReactionPalette-BjsctWdM.js","/assets/ReactionPalette-YHGryhBs.css","/assets/RoomDialogs-DbEFaMrY.css","/assets/RoomDialogs.module-FVfmI3gM.js","/assets/RoomMissing-B9hpLW6n.js","/assets/ShortcutSheet-BTqqgyfm.js","/assets/ShortcutSheet-DxhNIOfm.css","/assets/SignOut-C2lwzWgE.css","/assets/SignOut-gr2qYJPW.js","/assets/TextField-CbfeCm2-.js","/assets/TextField-Dd1gtSv-.css","/assets/Unloaded-ZYQ3GVRt.js","/assets/Welcome-BCfBYhuA.js","/assets/Welcome-_IRcaVGR.css","/assets/beside-DcbLFFer.js","/assets/de-DC3IXoHK.js","/assets/esm-uYvL02y0.js","/assets/focus-v2qkZfbg.js","/assets/icons-DU-1iEZW.js","/assets/index-CnW_ZGtu.css","/assets/jsx-runtime-Bsmn3-Cs.js","/assets/rolldown-runtime-XKyaHtl9.js","/assets/touch-CnkDkMM7.js","/assets/useListed-DggRE_Xw.js"]; // the build's files under assets/, the first one is what index.html starts with (vite.config.ts)
const SHELL = "shell-0514682a4286e05a";
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
