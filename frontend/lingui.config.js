import { formatter } from "@lingui/format-po";
import { extractors } from "./scripts/sentences.mjs";

/** English stands in the sources, and at the server; each other language is a catalogue in src/words. */
export default {
  sourceLocale: "en",
  locales: ["de"],
  catalogs: [
    {
      path: "<rootDir>/src/words/{locale}",
      include: ["<rootDir>/src", "<rootDir>/../chat/errors.py"],
      exclude: ["**/*.test.*", "**/testing/**"],
    },
  ],
  format: formatter({ lineNumbers: false, origins: false, explicitIdAsDefault: true }),
  orderBy: "messageId",
  extractors,
};
