import js from "@eslint/js";
import globals from "globals";
import hooks from "eslint-plugin-react-hooks";
import ts from "typescript-eslint";

const features = ["auth", "rooms", "messages", "presence"];

/** A feature may use lib, types, config and components/ui; only `app` brings features together. */
const walls = features.map((feature) => ({
  files: [`src/features/${feature}/**/*.{ts,tsx}`],
  rules: {
    "no-restricted-imports": [
      "error",
      {
        patterns: [
          {
            group: features.filter((other) => other !== feature).map((other) => `@/features/${other}/*`),
            message: "Features do not import each other; bring them together in src/app.",
          },
          { group: ["@/app/*"], message: "A feature does not know the app." },
          { group: ["../*"], message: "Leave the folder by '@/…', so that the walls between features can be seen." },
        ],
      },
    ],
  },
}));

const inward = {
  files: ["src/{lib,types,config,components}/**/*.{ts,tsx}"],
  rules: {
    "no-restricted-imports": ["error", { patterns: [{ group: ["@/features/*", "@/app/*"], message: "Imports point inwards." }] }],
  },
};

const noMarkup = { selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']", message: "Message text is never HTML." };
const noObjectsAsMaps = {
  selector: "TSTypeReference[typeName.name='Record'] > TSTypeParameterInstantiation > TSStringKeyword.params:first-child",
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
  inward,
);
