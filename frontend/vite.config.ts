import { createCompiledCatalog, getCatalogs } from "@lingui/cli/api";
import { getConfig } from "@lingui/conf";
import { lingui } from "@lingui/vite-plugin";
import react from "@vitejs/plugin-react";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { ClientRequest, IncomingMessage } from "node:http";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { Plugin, ProxyOptions } from "vite";
import { defineConfig } from "vitest/config";
import { fakeServer } from "./src/testing/server.ts";

const API = process.env.PARLEY_API ?? "http://127.0.0.1:8000";

/**
 * The chat server gets what this page sends as if its own page did: its name, and its origin in place of ours. Only of
 * ours: what another site makes a browser send is refused there.
 */
const proxied: ProxyOptions = {
  target: API,
  changeOrigin: true,
  configure(proxy) {
    const claim = (request: ClientRequest, { headers }: IncomingMessage) => {
      if (headers.origin === `http://${headers.host}`) request.setHeader("origin", new URL(API).origin);
    };
    proxy.on("proxyReq", claim);
    proxy.on("proxyReqWs", claim);
  },
};
const proxy = { "/api": proxied, "/config.json": proxied, "/socket.io": { ...proxied, ws: true } };

/**
 * Parley speaks websocket only: leaves long polling and WebTransport out of socket.io-client, 3 kB nobody would use.
 */
function websocketOnly(): Plugin {
  const NAME = "/transports/websocket-only.js";
  return {
    name: "websocket-only",
    enforce: "pre",
    apply: "build",
    resolveId(source, importer) {
      const [, folder] = /^(.*\/engine\.io-client\/build\/esm)\/socket\.js$/.exec(importer ?? "") ?? [];
      return folder && source === "./transports/index.js" ? folder + NAME : null;
    },
    load: (id) =>
      id.endsWith(NAME) ? 'import { WS } from "./websocket.js"; export const transports = { websocket: WS };' : null,
    // What it does at once is to wait for the end of a page that polls.
    transform: (code, id) =>
      /\/engine\.io-client\/.*\/polling-[\w.-]+\.js$/.test(id) ? { code, map: null, moduleSideEffects: false } : null,
  };
}

/**
 * React Router without what this page does not use of it, 4 kB: its package gives bundlers the build that warns
 * developers, and the names that it gives its parts keep them all.
 */
function routerInParts(): Plugin {
  const DIST = /^(.*\/react-router\/dist\/)development(\/.*\.mjs)$/;
  return {
    name: "router-in-parts",
    enforce: "pre",
    apply: "build",
    async resolveId(source, importer, options) {
      if (source !== "react-router") return null;
      const found = await this.resolve(source, importer, { ...options, skipSelf: true });
      if (!found || !DIST.test(found.id)) throw new Error(`react-router is not where it was, but at ${found?.id}`);
      return found.id.replace(DIST, "$1production$2");
    },
    transform(code, id) {
      if (!id.includes("/react-router/dist/")) return null;
      return code
        .replace(/^\w+\.displayName = .*;$/gm, "")
        .replace(/^(var \w+ = )(?=\w+\.(?:createContext|forwardRef|memo)\()/gm, "$1/* @__PURE__ */ ");
    },
  };
}

/** English stands in the sources as it is said, but for plurals: those of all sentences, compiled as in a catalogue. */
function plurals(): Plugin {
  const NAME = "virtual:plurals";
  return {
    name: "plurals",
    resolveId: (source) => (source === NAME ? `\0${NAME}` : null),
    async load(id) {
      if (id !== `\0${NAME}`) return null;
      const [catalogue] = await getCatalogs(getConfig());
      const sentences = Object.keys((await catalogue?.read("de")) ?? {}).filter((each) => each.includes(", plural,"));
      const { source } = createCompiledCatalog("en", Object.fromEntries(sentences.map((each) => [each, each])), {
        namespace: "es",
      });
      return source;
    },
  };
}

/** `sw.js` with the names of this build in it, so that every build has one of its own. */
function serviceWorker(): Plugin {
  return {
    name: "service-worker",
    apply: "build",
    generateBundle(_, bundle) {
      const entry = (name: string) => Number(bundle[name]?.type === "chunk" && bundle[name].isEntry);
      const files = Object.keys(bundle)
        .filter((name) => name.startsWith("assets/"))
        .sort((a, b) => entry(b) - entry(a) || (a < b ? -1 : 1));
      const names = JSON.stringify(files.map((name) => `/${name}`));
      const source = readFileSync(new URL("./src/worker/serviceWorker.js", import.meta.url), "utf8")
        .replace("FILES = []", `FILES = ${names}`)
        .replace("shell-build", `shell-${createHash("sha256").update(names).digest("hex").slice(0, 16)}`);
      this.emitFile({ type: "asset", fileName: "sw.js", source });
    },
  };
}

/** Classes as names of their own instead of an object's, so that the build writes each where it is used. */
function classesInPlace(): Plugin {
  const IMPORT = /^import (\w+) from ("[^"]+\.module\.css");$/gm;
  return {
    name: "classes-in-place",
    enforce: "pre",
    apply: "build",
    transform(code, id) {
      return id.endsWith(".tsx") ? { code: code.replace(IMPORT, "import * as $1 from $2;"), map: null } : null;
    },
  };
}

/** In the build a class is four letters, always the same ones, so that the same sources make the same build. */
function shortClasses(): (name: string, file: string) => string {
  const given = new Map<string, string>();
  return (name, file) => {
    const whose = `${relative(import.meta.dirname, file)} ${name}`;
    const short = `_${createHash("sha256").update(whose).digest("base64url").slice(0, 4)}`;
    if ((given.get(short) ?? whose) !== whose) throw new Error(`${given.get(short)} and ${whose} have the same class`);
    given.set(short, whose);
    return short;
  };
}

/** `vite --mode fake` and `vite preview --mode fake` bring their own small chat server. */
export default defineConfig(({ mode, command }) => ({
  plugins: [
    react(), lingui({ failOnMissing: command === "build", failOnCompileError: true }), plurals(), routerInParts(),
    classesInPlace(), websocketOnly(), serviceWorker(), ...(mode === "fake" ? [fakeServer()] : []),
  ],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  css: command === "build" ? { modules: { generateScopedName: shortClasses() } } : {},
  server: { port: 5173, strictPort: true, proxy: mode === "fake" ? {} : proxy },
  preview: { port: 4173, proxy: mode === "fake" ? {} : proxy },
  build: {
    outDir: "dist",
    assetsDir: "assets",
    sourcemap: false,
    target: "es2022",
    cssTarget: ["chrome123", "firefox128", "safari17.5"],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    manifest: true,
    cssCodeSplit: true,
  },
  test: {
    environment: "jsdom",
    setupFiles: ["src/testing/setup.ts"],
    css: { modules: { classNameStrategy: "non-scoped" as const } },
    restoreMocks: true,
    maxWorkers: 1,
    // Guards against never: what is slow, the machine decides.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
}));
