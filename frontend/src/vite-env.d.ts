/// <reference types="vite/client" />

interface ImportMetaEnv {
  readonly VITE_AUTH_BASE?: string;
  readonly VITE_CHAT_BASE?: string;
}

/** A catalogue, compiled by the build. */
declare module "*.po" {
  export const messages: import("@/lib/sentences").Catalogue;
}

/** The plurals of English, compiled by the build. */
declare module "virtual:plurals" {
  export const messages: import("@/lib/sentences").Catalogue;
}
