import type ts from "typescript";

export function eachSentence(file: ts.SourceFile, found: (sentence: string, call: ts.CallExpression) => void): void;
export function parse(filename: string, code: string): ts.SourceFile;
