/** What the catalogues are to have, for `npm run words` and for the tests. */
import ts from "typescript";

const ASKS = new Set(["t", "sentence", "known"]);

/** Calls `found` with each sentence that `t` and `sentence` are given, in English as it stands there, and the call. */
export function eachSentence(file, found) {
  const look = (node) => {
    if (ts.isCallExpression(node) && ts.isIdentifier(node.expression) && ASKS.has(node.expression.text))
      for (const text of literalsOf(node.arguments[0])) found(text, node);
    ts.forEachChild(node, look);
  };
  look(file);
}

export const parse = (filename, code) =>
  ts.createSourceFile(filename, code, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX);

/** A literal, or either end of a choice between literals. */
function literalsOf(node) {
  if (!node) return [];
  if (ts.isStringLiteralLike(node)) return [node.text];
  if (ts.isParenthesizedExpression(node)) return literalsOf(node.expression);
  if (ts.isConditionalExpression(node)) return [...literalsOf(node.whenTrue), ...literalsOf(node.whenFalse)];
  return [];
}

/** The refusals of the server, each by its code and with its sentence: `KINDS` of chat/errors.py. */
export const refusalsIn = (code) =>
  [...code.matchAll(/^ {4}"([a-z_]+)": Kind\(\s*\d+,\s*"([^"]+)"/gm)].map(([, kind, english]) => ({
    id: `refusal.${kind}`, comment: english,
  }));

const sources = {
  match: (filename) => /\.tsx?$/.test(filename),
  extract(filename, code, found) {
    const file = parse(filename, code);
    eachSentence(file, (id, node) => {
      const { line } = file.getLineAndCharacterOfPosition(node.getStart());
      found({ id, origin: [filename, line + 1] });
    });
  },
};

const server = {
  match: (filename) => filename.endsWith("/errors.py"),
  extract(filename, code, found) {
    for (const { id, comment } of refusalsIn(code)) found({ id, comment, origin: [filename, 1] });
  },
};

/** For lingui.config.js. */
export const extractors = [sources, server];
