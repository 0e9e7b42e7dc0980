/** Text in the page's sources that no catalogue knows of. */
import ts from "typescript";

export interface Unsaid {
  where: string;
  text: string;
}

const SAID = new Set(["t", "sentence", "known"]);
/** What is given to these is shown, or read out. */
const SPEAK = new Set(["say", "setTrouble", "end", "announce", "partly"]);
const HEARD = new Set([
  "aria-label", "aria-description", "aria-roledescription", "aria-valuetext", "title", "placeholder", "alt",
  "label", "hint", "lead", "action",
]);
/** Names, and the keys of the keyboard that are letters. */
const NO_LANGUAGE = new Set(["Parley", "K"]);
/** What has words and is none: selectors, and what programs say to each other. */
const FOR_PROGRAMS = [
  /^main textarea/, /^dialog\[open\]/, /^input:not/, /^textarea, input/, /^button, /, /^Content-Type$/, /^ on $/,
  /^operation has timed out/, /^no answer in time$/,
  /^Unknown device$/,
];

const hasWord = (text: string) => /\p{L}/u.test(text) && !NO_LANGUAGE.has(text.trim());
const isProse = (text: string) => /\p{Lu}\p{Ll}*\s+\p{L}{2,}|\p{Ll}{2,}\s+\p{Ll}{2,}\s+\p{Ll}{2,}/u.test(text);

/** All of it in one file, with the place. */
export function unsaidIn(file: ts.SourceFile): Unsaid[] {
  const found = new Map<ts.Node, string>();
  const add = (node: ts.Node, text: string) => hasWord(text) && found.set(node, text);

  /** What an expression may come to be, as far as it is written here. */
  function shown(node: ts.Node | undefined): void {
    if (!node) return;
    if (ts.isStringLiteralLike(node)) add(node, node.text);
    else if (ts.isTemplateExpression(node)) {
      add(node.head, node.head.text);
      for (const { expression, literal } of node.templateSpans) {
        add(literal, literal.text);
        shown(expression);
      }
    } else if (ts.isConditionalExpression(node)) {
      shown(node.whenTrue);
      shown(node.whenFalse);
    } else if (ts.isBinaryExpression(node)) {
      const operator = node.operatorToken.getText();
      if (/^(\?\?|\|\||\+)$/.test(operator)) shown(node.left);
      if (/^(\?\?|\|\||\+|&&)$/.test(operator)) shown(node.right);
    } else if (ts.isParenthesizedExpression(node) || ts.isJsxExpression(node)) shown(node.expression);
  }

  function look(node: ts.Node): void {
    if (ts.isImportDeclaration(node) || ts.isThrowStatement(node) || isError(node)) return;
    if (ts.isCallExpression(node)) {
      const name = nameOf(node.expression);
      const [first, ...rest] = node.arguments;
      if (SAID.has(name)) {
        if (first && name !== "known" && isMade(first)) found.set(first, first.getText());
        return rest.forEach(look);
      }
      if (SPEAK.has(name)) shown(first);
    }
    if (ts.isJsxText(node)) add(node, node.text.trim());
    if (ts.isJsxExpression(node) && !ts.isJsxAttribute(node.parent)) shown(node);
    if (ts.isJsxAttribute(node) && HEARD.has(node.name.getText())) shown(node.initializer);
    if (ts.isPropertyAssignment(node) && node.name.getText() === "message" && hasCode(node)) shown(node.initializer);
    if (ts.isBinaryExpression(node) && node.left.getText() === "document.title") shown(node.right);
    const isText = ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node);
    if (isText && isProse(node.text) && !isOfClasses(node) && !FOR_PROGRAMS.some((each) => each.test(node.text)))
      add(node, node.text);
    ts.forEachChild(node, look);
  }

  look(file);
  return [...found].map(([node, text]) => {
    const { line } = file.getLineAndCharacterOfPosition(node.getStart(file));
    return { where: `${file.fileName}:${line + 1}`, text };
  });
}

const nameOf = (called: ts.Expression): string =>
  ts.isIdentifier(called) ? called.text : ts.isPropertyAccessExpression(called) ? called.name.text : "";

const isError = (node: ts.Node) =>
  ts.isNewExpression(node) && ["Error", "TooLate", "RegExp"].includes(node.expression.getText());

/** Put together here, so that no catalogue can have it. */
const isMade = (node: ts.Node) =>
  ts.isTemplateExpression(node) ||
  (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken);

const hasCode = ({ parent }: ts.PropertyAssignment) =>
  parent.properties.some(({ name }) => name?.getText() === "code");

/** In an attribute that is for no one to read. */
const isOfClasses = (node: ts.Node) =>
  ts.isJsxAttribute(node.parent) && !HEARD.has(node.parent.name.getText());
