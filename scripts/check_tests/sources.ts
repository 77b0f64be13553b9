/** TypeScript modules with the symbols of their names: an import leads to what it imports. */
import ts from "typescript";

const OPTIONS: ts.CompilerOptions = {
  allowImportingTsExtensions: true,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  noLib: true,
  noResolve: true,
  target: ts.ScriptTarget.ESNext,
  types: [],
};

/** Modules, of which only the imports among each other are followed. */
export class Sources {
  readonly files: readonly ts.SourceFile[];
  readonly #checker: ts.TypeChecker;

  /** `texts` are the modules by their absolute paths. */
  constructor(texts: ReadonlyMap<string, string>) {
    const program = ts.createProgram([...texts.keys()], OPTIONS, {
      fileExists: (path) => texts.has(path),
      readFile: (path) => texts.get(path),
      getSourceFile(path, target) {
        const text = texts.get(path);
        return text === undefined
          ? undefined
          : ts.createSourceFile(path, text, target, true);
      },
      getDefaultLibFileName: () => "",
      getCurrentDirectory: () => "/",
      getCanonicalFileName: (path) => path,
      useCaseSensitiveFileNames: () => true,
      getNewLine: () => "\n",
      writeFile() {},
    });
    this.#checker = program.getTypeChecker();
    this.files = program.getSourceFiles();
  }

  /** Where a name is declared; undefined if that is elsewhere, as in a package. */
  declarationOf(name: ts.MemberName): ts.Declaration | undefined {
    const symbol = this.#symbolOf(name);
    const target = symbol && symbol.flags & ts.SymbolFlags.Alias
      ? this.#checker.getAliasedSymbol(symbol)
      : symbol;
    return target?.declarations?.[0];
  }

  /** What a member of an object literal is declared as in the type that its place expects; undefined of anything else. */
  expectedOf(member: ts.Declaration): ts.Declaration | undefined {
    const { parent } = member;
    if (!ts.isObjectLiteralExpression(parent)) return undefined;
    const name = ts.getNameOfDeclaration(member)?.getText() ?? "";
    return this.#checker.getContextualType(parent)?.getProperty(name)
      ?.declarations?.[0];
  }

  /** The module that a name is imported from, as it is written; undefined if it is not imported. */
  moduleOf(name: ts.Identifier): string | undefined {
    const declaration = this.#symbolOf(name)?.declarations?.[0];
    const imported = declaration &&
      ts.findAncestor(declaration, ts.isImportDeclaration);
    return imported && ts.isStringLiteral(imported.moduleSpecifier)
      ? imported.moduleSpecifier.text
      : undefined;
  }

  #symbolOf(name: ts.MemberName): ts.Symbol | undefined {
    return ts.isShorthandPropertyAssignment(name.parent)
      ? this.#checker.getShorthandAssignmentValueSymbol(name.parent)
      : this.#checker.getSymbolAtLocation(name);
  }
}

/** Whether something holds for a node or for any node within it. */
export function someNode(
  node: ts.Node,
  holds: (node: ts.Node) => boolean,
): boolean {
  return holds(node) ||
    ts.forEachChild(node, (child) => someNode(child, holds)) === true;
}

/** The identifier that an expression such as `assert.deepEqual` begins with; undefined if there is none. */
export function rootOf(expression: ts.Expression): ts.Identifier | undefined {
  if (ts.isPropertyAccessExpression(expression)) {
    return rootOf(expression.expression);
  }
  return ts.isIdentifier(expression) ? expression : undefined;
}
