/** Which functions assert something. */
import ts from "typescript";
import { rootOf, someNode, type Sources } from "./sources.ts";

/** The names of helpers that assert, whatever they return. */
const ASSERTING = /^(?:assert|expect)/;

/** Finds assertions: those of node:assert and fast-check, and the helpers that lead to them. */
export class Assertions {
  readonly #sources: Sources;
  /** Whether a helper asserts; false while it is being looked at, as it may call itself. */
  readonly #known = new Map<ts.Node, boolean>();

  constructor(sources: Sources) {
    this.#sources = sources;
  }

  /** Whether a node is a call of node:assert, or of fast-check's `assert()`. */
  isAssertion(node: ts.Node): boolean {
    if (!ts.isCallExpression(node)) return false;
    const root = rootOf(node.expression);
    const module = root && this.#sources.moduleOf(root);
    if (module === "fast-check") {
      return node.expression.getText() === "fc.assert";
    }
    return module?.startsWith("node:assert") === true && !isNarrowing(node);
  }

  /** Whether a part of a test leads to an assertion: its own, or that of a helper that it names. */
  isReachedFrom(node: ts.Node): boolean {
    return someNode(node, (inner) =>
      this.isAssertion(inner) ||
      ts.isIdentifier(inner) && this.#isCheck(inner));
  }

  /**
   * Whether a name is that of a helper that checks something. A helper that returns a value, or that runs a function of
   * its caller, prepares a test: what it asserts is that it could.
   */
  #isCheck(name: ts.Identifier): boolean {
    const helper = functionOf(this.#sources.declarationOf(name));
    if (helper?.body === undefined) return false;
    if (!ASSERTING.test(name.text) && prepares(helper)) return false;
    const known = this.#known.get(helper);
    if (known !== undefined) return known;
    this.#known.set(helper, false);
    const asserts = this.isReachedFrom(helper.body);
    this.#known.set(helper, asserts);
    return asserts;
  }
}

/** Whether a call is that of `… ?? assert.fail()`, which only satisfies the compiler. */
function isNarrowing({ parent }: ts.CallExpression): boolean {
  return ts.isBinaryExpression(parent) &&
    parent.operatorToken.kind === ts.SyntaxKind.QuestionQuestionToken;
}

/** The function that a declaration is of, if it is of one. */
export function functionOf(
  declaration: ts.Declaration | undefined,
): ts.FunctionLikeDeclaration | undefined {
  if (declaration === undefined) return undefined;
  if (ts.isFunctionDeclaration(declaration)) return declaration;
  if (ts.isMethodDeclaration(declaration)) return declaration;
  const value = ts.isVariableDeclaration(declaration)
    ? declaration.initializer
    : undefined;
  return value && (ts.isArrowFunction(value) || ts.isFunctionExpression(value))
    ? value
    : undefined;
}

function prepares(helper: ts.FunctionLikeDeclaration): boolean {
  return !returnsNothing(helper) ||
    helper.parameters.some(({ type }) => type && ts.isFunctionTypeNode(type));
}

function returnsNothing({ type, body }: ts.FunctionLikeDeclaration): boolean {
  if (type !== undefined) {
    return /^(?:void|Promise<void>)$|^asserts /.test(type.getText());
  }
  return body !== undefined && !(ts.isBlock(body) && returnsValue(body));
}

function returnsValue(node: ts.Node): boolean {
  if (ts.isReturnStatement(node)) return node.expression !== undefined;
  return !ts.isFunctionLike(node) &&
    ts.forEachChild(node, returnsValue) === true;
}
