import js from "@eslint/js";
import globals from "globals";
import hooks from "eslint-plugin-react-hooks";
import ts from "typescript-eslint";

const features = ["auth", "rooms", "messages", "presence"];

/** Of the nouns of messages each may use these; only `timeline` brings log and outbox together. */
const nouns = {
  log: [],
  outbox: [],
  reactions: [],
  message: ["outbox", "reactions"],
  composer: ["message"],
  timeline: ["log", "outbox", "reactions", "message"],
};

const without = (all, some) => all.filter((each) => !some.includes(each));
const only = (files, ...patterns) => ({ files, rules: { "no-restricted-imports": ["error", { patterns }] } });

const others = (feature) => ({
  group: without(features, [feature]).map((other) => `@/features/${other}/*`),
  message: "Features do not import each other; bring them together in src/app.",
});
const noApp = { group: ["@/app/*"], message: "A feature does not know the app." };
const noWayUp = {
  group: ["../*"],
  message: "Leave the folder by '@/…', so that the walls between features can be seen.",
};
const otherNouns = (noun) => ({
  group: without(Object.keys(nouns), [noun, ...nouns[noun]]).map((other) => `@/features/messages/${other}/*`),
  message: "Log and outbox know nothing of the rest of messages; bring them together in timeline.",
});

/** A feature may use lib, types, config and components/ui; only `app` brings features together. */
const walls = features.map((feature) =>
  only([`src/features/${feature}/**/*.{ts,tsx}`], others(feature), noApp, noWayUp),
);

const nounWalls = Object.keys(nouns).map((noun) =>
  only([`src/features/messages/${noun}/**/*.{ts,tsx}`], others("messages"), noApp, noWayUp, otherNouns(noun)),
);

const inward = only(["src/{lib,types,config,components}/**/*.{ts,tsx}"], {
  group: ["@/features/*", "@/app/*"],
  message: "Imports point inwards.",
});

const noMarkup = {
  selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']",
  message: "Message text is never HTML.",
};
const noObjectsAsMaps = {
  selector:
    "TSTypeReference[typeName.name='Record'] > TSTypeParameterInstantiation > TSStringKeyword.params:first-child",
  message: "What people name belongs into a Map: every object has a `constructor`.",
};

export default ts.config(
  { ignores: ["dist", "node_modules"] },
  js.configs.recommended,
  ...ts.configs.strict,
  { files: ["**/*.{ts,tsx}"], languageOptions: { globals: globals.browser } },
  { files: ["scripts/*.mjs", "*.{js,ts}", "src/testing/server.ts"], languageOptions: { globals: globals.node } },
  { files: ["src/worker/*.js"], languageOptions: { globals: globals.serviceworker } },
  {
    files: ["src/**/*.{ts,tsx}"],
    plugins: { "react-hooks": hooks },
    rules: { "react-hooks/rules-of-hooks": "error", "react-hooks/exhaustive-deps": "error" },
  },
  {
    rules: {
      "max-len": ["error", { code: 120 }],
      "@typescript-eslint/no-invalid-void-type": "off",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      "no-restricted-syntax": ["error", noMarkup],
    },
  },
  {
    files: ["src/**/*.{ts,tsx}"],
    ignores: ["src/**/*.test.{ts,tsx}", "src/testing/*"],
    rules: { "no-restricted-syntax": ["error", noMarkup, noObjectsAsMaps] },
  },
  ...walls,
  ...nounWalls,
  inward,
);
