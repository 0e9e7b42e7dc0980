import react from "@vitejs/plugin-react";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { fakeServer } from "./src/testing/server";

const API = process.env.PARLEY_API ?? "http://127.0.0.1:8000";
const proxy = {
  "/api": { target: API },
  "/socket.io": { target: API, ws: true },
};

/** `vite --mode fake` and `vite preview --mode fake` bring their own small chat server. */
export default defineConfig(({ mode }) => ({
  plugins: [react(), ...(mode === "fake" ? [fakeServer()] : [])],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  server: { port: 5173, strictPort: true, proxy: mode === "fake" ? {} : proxy },
  preview: { port: 4173, proxy: mode === "fake" ? {} : proxy },
  build: {
    outDir: "dist",
    assetsDir: "assets",
    sourcemap: false,
    target: "es2022",
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
  },
}));
