/// <reference types="vite/client" />

interface ImportMetaEnv {
  readonly VITE_AUTH_BASE?: string;
  readonly VITE_CHAT_BASE?: string;
}
