/** What may lie over the chat: one at a time. */
export type Panel = "rooms" | "switcher" | "browse" | "create" | "members" | "keys" | "account" | "leaving";
