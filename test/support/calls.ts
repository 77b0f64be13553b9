/** Which functions call which, as the compiler resolves their names: what a document says of the way through them is checked by it. */
import ts from "typescript";
import { someNode, Sources } from "../../scripts/check_tests/sources.ts";

/** What names are followed through: utility types, whose members are still where they were declared, and lists; the library itself takes seconds to read. */
const LIBRARY = `
  type Pick<T, K extends keyof T> = { [P in K]: T[P] };
  type Required<T> = { [P in keyof T]-?: T[P] };
  type Partial<T> = { [P in keyof T]?: T[P] };
  type Exclude<T, U> = T extends U ? never : T;
  type Omit<T, K extends keyof any> = Pick<T, Exclude<keyof T, K>>;
  type ReturnType<T> = T extends (...of: any) => infer R ? R : any;
  interface SymbolConstructor { readonly iterator: unique symbol; }
  declare var Symbol: SymbolConstructor;
  interface IteratorYieldResult<T> { done?: false; value: T; }
  interface IteratorReturnResult<T> { done: true; value: T; }
  type IteratorResult<T, R = any> = IteratorYieldResult<T> | IteratorReturnResult<R>;
  interface Iterator<T, R = any, N = any> { next(): IteratorResult<T, R>; }
  interface Iterable<T, R = any, N = any> { [Symbol.iterator](): Iterator<T, R, N>; }
  interface Array<T> extends Iterable<T> {}
  interface ReadonlyArray<T> extends Iterable<T> {}
`;

/** Functions, and what calls them. */
export class Calls {
  readonly #sources: Sources;

  /** `texts` are the modules by their absolute paths. */
  constructor(texts: ReadonlyMap<string, string>) {
    this.#sources = new Sources(new Map([...texts, ["/lib.d.ts", LIBRARY]]));
  }

  /**
   * A function of a module: `relay`, `Exchange.relay`, `#relay`, or `new Exchange` for a constructor; undefined if there is
   * none.
   */
  find(path: string, name: string): ts.Declaration | undefined {
    const isKind = name.startsWith("new ") ? ts.isClassDeclaration : isCallable;
    const [member, owner] = name.replace("new ", "").split(".").reverse();
    const file = this.#sources.files.find(({ fileName }) => fileName === path);
    let found: ts.Declaration | undefined;
    if (file === undefined) return undefined;
    someNode(file, (node) => {
      if (!isKind(node) || node.name?.getText() !== member) return false;
      const isOwners = owner === undefined ||
        classOf(node)?.name?.text === owner;
      if (isOwners) found = node;
      return isOwners;
    });
    return found;
  }

  /** Whether a function calls another, by itself or through functions of its own module. */
  leads(from: ts.Declaration, to: ts.Declaration): boolean {
    const module = from.getSourceFile();
    const seen = new Set<ts.Node>([from]);
    for (const caller of seen) {
      const isDone = someNode(bodyOf(caller), (node) => {
        const called = this.#calledBy(node);
        if (called === undefined) return false;
        if (called.getSourceFile() === module) seen.add(called);
        return called === to || this.#implements(to, called);
      });
      if (isDone) return true;
    }
    return false;
  }

  #calledBy(node: ts.Node): ts.Declaration | undefined {
    if (!ts.isCallExpression(node) && !ts.isNewExpression(node)) {
      return undefined;
    }
    const { expression } = node;
    if (expression.kind === ts.SyntaxKind.SuperKeyword) {
      const [base] = this.#basesOf(classOf(node));
      return base;
    }
    const name = ts.isPropertyAccessExpression(expression)
      ? expression.name
      : expression;
    return ts.isMemberName(name)
      ? this.#sources.declarationOf(name)
      : undefined;
  }

  /** Whether a method, of a class or of an object, is what a call of an interface's or base class's method comes to. */
  #implements(method: ts.Declaration, called: ts.Declaration): boolean {
    if (this.#sources.expectedOf(method) === called) return true;
    const isSameName = ts.getNameOfDeclaration(method)?.getText() ===
      ts.getNameOfDeclaration(called)?.getText();
    const bases = new Set(this.#basesOf(classOf(method)));
    for (const base of bases) {
      if (isSameName && called.parent === base) return true;
      for (const further of this.#basesOf(base)) bases.add(further);
    }
    return false;
  }

  /** What a class or an interface extends, and then what it implements. */
  #basesOf(declaration: ts.Declaration | undefined): ts.Declaration[] {
    if (
      declaration === undefined ||
      !ts.isClassDeclaration(declaration) &&
        !ts.isInterfaceDeclaration(declaration)
    ) return [];
    return (declaration.heritageClauses ?? []).flatMap(({ types }) =>
      types.flatMap(({ expression }) =>
        ts.isIdentifier(expression)
          ? this.#sources.declarationOf(expression) ?? []
          : []
      )
    );
  }
}

/** The part of a declaration that runs when it is called: of a class, its constructor. */
function bodyOf(declaration: ts.Node): ts.Node {
  if (!ts.isClassDeclaration(declaration)) return declaration;
  return declaration.members.find(ts.isConstructorDeclaration) ??
    declaration.name ?? declaration;
}

function isCallable(
  node: ts.Node,
): node is
  | ts.FunctionDeclaration
  | ts.MethodDeclaration
  | ts.PropertyAssignment {
  return ts.isFunctionDeclaration(node) || ts.isMethodDeclaration(node) ||
    ts.isPropertyAssignment(node) && ts.isArrowFunction(node.initializer);
}

function classOf(node: ts.Node): ts.ClassDeclaration | undefined {
  return ts.findAncestor(node, ts.isClassDeclaration);
}
