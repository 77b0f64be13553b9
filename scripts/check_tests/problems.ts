/** What is wrong with tests: one that asserts nothing cannot fail, and one that asserts a time fails on a busy machine. */
import ts from "typescript";
import { Assertions, functionOf } from "./assertions.ts";
import { someNode, Sources } from "./sources.ts";

/** What declares tests: `Deno.test`, and functions of our own. */
const DECLARES_TESTS =
  /^(?:Deno\.test(?:\.\w+)?|test(?:[A-Z]\w*|\.(?!step\b)\w+)?|\w+Test)$/;

/** What declares tests, or makes what does: `testsThatNeed()`. */
const NAME_OF_WRAPPERS = /^tests?(?:[A-Z]\w*)?$|Test$/;

/** What declares steps of a test. */
const DECLARES_STEPS = /^(?:t|test|context)\.step$/;

const CLOCK = /^(?:performance|Date)\.now$/;

const COMPARISONS: ReadonlySet<ts.SyntaxKind> = new Set([
  ts.SyntaxKind.MinusToken,
  ts.SyntaxKind.LessThanToken,
  ts.SyntaxKind.LessThanEqualsToken,
  ts.SyntaxKind.GreaterThanToken,
  ts.SyntaxKind.GreaterThanEqualsToken,
]);

/** A defect of a test, and where it is. */
export interface TestProblem {
  /** An absolute path. */
  readonly file: string;
  /** From 1 on. */
  readonly line: number;
  readonly message: string;
}

/** The defects of tests; `texts` are their modules and those of their helpers, by absolute paths. */
export function problemsOf(texts: ReadonlyMap<string, string>): TestProblem[] {
  const sources = new Sources(texts);
  const assertions = new Assertions(sources);
  const problems: TestProblem[] = [];

  function look(node: ts.Node): void {
    const message = problemOf(node, sources, assertions);
    if (message !== undefined) {
      const file = node.getSourceFile();
      const { line } = file.getLineAndCharacterOfPosition(node.getStart());
      problems.push({ file: file.fileName, line: line + 1, message });
    }
    ts.forEachChild(node, look);
  }

  for (const file of sources.files) look(file);
  return problems;
}

function problemOf(
  node: ts.Node,
  sources: Sources,
  assertions: Assertions,
): string | undefined {
  if (!ts.isCallExpression(node)) return undefined;
  if (assertions.isAssertion(node)) {
    return isAboutTime(node.arguments, sources)
      ? "this asserts how long something took, which a busy machine decides"
      : undefined;
  }
  const callee = node.expression.getText();
  if (DECLARES_STEPS.test(callee) && !assertions.isReachedFrom(node)) {
    return `this step asserts nothing: ${nameOf(node)}`;
  }
  if (!isDeclaration(node) || isSuite(node, sources)) return undefined;
  const wrapper = wrapperOf(node, sources);
  if (wrapper === undefined) {
    return node.arguments.some((part) => assertions.isReachedFrom(part))
      ? undefined
      : `this test asserts nothing: ${nameOf(node)}`;
  }
  return NAME_OF_WRAPPERS.test(wrapper)
    ? undefined
    : `what declares tests is called test…, or …Test: ${wrapper}`;
}

function isDeclaration(node: ts.CallExpression): boolean {
  return DECLARES_TESTS.test(node.expression.getText()) &&
    node.arguments.length > 0;
}

/** Whether a call has tests declared that are written in the function that it calls, and looked at there. */
function isSuite({ expression }: ts.CallExpression, sources: Sources): boolean {
  if (!ts.isIdentifier(expression)) return false;
  const suite = functionOf(sources.declarationOf(expression));
  return suite?.body !== undefined && someNode(suite.body, (node) => (
    ts.isCallExpression(node) && isDeclaration(node) &&
    wrapperOf(node, sources) === undefined
  ));
}

/** The name of the function that declares a test for its caller, whose body is a parameter; undefined if it is a test. */
function wrapperOf(
  test: ts.CallExpression,
  sources: Sources,
): string | undefined {
  let wrapper: ts.SignatureDeclaration | undefined;
  someNode(test, (node) => {
    if (!ts.isIdentifier(node) || !isRun(node)) return false;
    const declaration = sources.declarationOf(node);
    if (declaration === undefined || !ts.isParameter(declaration)) return false;
    const { parent } = declaration;
    if (test.pos <= parent.pos || test.end > parent.end) return false;
    wrapper = parent;
    return true;
  });
  const named = wrapper && ts.findAncestor(wrapper, ts.isFunctionDeclaration);
  return named?.name?.text;
}

/** Whether a name is called, or is the function of a test as it is. */
function isRun(name: ts.Identifier): boolean {
  const { parent } = name;
  if (ts.isCallExpression(parent)) {
    return parent.expression === name || parent.arguments.at(-1) === name;
  }
  return ts.isShorthandPropertyAssignment(parent) && name.text === "fn";
}

/** Whether an assertion compares the clock with something, or names a difference of times. */
function isAboutTime(
  parts: readonly ts.Expression[],
  sources: Sources,
): boolean {
  return parts.some((part) =>
    someNode(part, (node) => {
      if (isTimed(node)) return true;
      if (!ts.isIdentifier(node)) return false;
      const declaration = sources.declarationOf(node);
      return declaration !== undefined &&
        ts.isVariableDeclaration(declaration) &&
        declaration.initializer !== undefined &&
        isDifference(declaration.initializer);
    })
  );
}

/** Whether an expression is a difference of times, in whatever unit. */
function isDifference(expression: ts.Expression): boolean {
  if (ts.isParenthesizedExpression(expression)) {
    return isDifference(expression.expression);
  }
  return ts.isBinaryExpression(expression) &&
    (isTimed(expression) || isDifference(expression.left));
}

/** Whether the clock is read on either side of a comparison or a subtraction. */
function isTimed(node: ts.Node): boolean {
  return ts.isBinaryExpression(node) &&
    COMPARISONS.has(node.operatorToken.kind) &&
    [node.left, node.right].some((side) =>
      ts.isCallExpression(side) && CLOCK.test(side.expression.getText())
    );
}

function nameOf({ arguments: [name] }: ts.CallExpression): string {
  return name?.getText().replace(/\s+/g, " ").slice(0, 120) ?? "";
}
