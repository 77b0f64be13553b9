import openapiTS, { astToString, type OpenAPI3 } from "openapi-typescript";
import ts from "typescript";
import type { Place } from "./description.ts";
import type { Steps } from "./locate.ts";

/** We write requests, which must fit their types; they write responses, which must fit ours. */
type Part = "request" | "response";

/** A difference of an operation that breaks a caller. */
export interface Difference {
  /** What differs. */
  readonly steps: Steps;
  readonly part: Part;
  /**
   * How theirs differs: there is none; a request must have it, or a response may lack it; the same for null; or the
   * type.
   */
  readonly problem: "gone" | "missing" | "null" | "type";
  /** The difference in one line. */
  readonly text: string;
}

type Pair<T = ts.Type> = readonly [ours: T, theirs: T];

/**
 * Generates the types of our slice and of a full description, and compiles them in memory.
 *
 * @throws {Error} if one of them is not an OpenAPI 3 description
 */
export async function compileTypes(
  slice: object,
  full: object,
): Promise<TypeComparison> {
  const text = `
    namespace Ours { ${await typesOf(slice)} }
    namespace Theirs { ${await typesOf(full)} }
    interface Root { ours: Ours.paths; theirs: Theirs.paths }`;
  const file = ts.createSourceFile("root.ts", text, ts.ScriptTarget.Latest);
  const options = { lib: ["lib.es5.d.ts"], strict: true, types: [] };
  const host = ts.createCompilerHost(options);
  const { getSourceFile } = host;
  host.getSourceFile = (name, version) =>
    name === file.fileName ? file : getSourceFile(name, version);
  const program = ts.createProgram([file.fileName], options, host);
  const checker = program.getTypeChecker();
  const root = file.statements.find(ts.isInterfaceDeclaration) ?? file;
  return new TypeComparison(checker, checker.getTypeAtLocation(root));
}

async function typesOf(description: object): Promise<string> {
  // openapi-typescript changes the object. A member that has a default may still be missing from a response.
  const document = structuredClone(description) as OpenAPI3;
  const options = { defaultNonNullable: false, silent: true };
  return astToString(await openapiTS(document, options));
}

/** The types of both descriptions, and the compiler's judgement of them. */
export class TypeComparison {
  readonly #checker: ts.TypeChecker;
  readonly #root: ts.Type;

  constructor(checker: ts.TypeChecker, root: ts.Type) {
    this.#checker = checker;
    this.#root = root;
  }

  /** The differences that break a caller of our operation. */
  *differences(mine: Place, other: Place): Generator<Difference> {
    const pair: Pair = [
      this.#at(this.#root, "ours", mine.path, mine.method),
      this.#at(this.#root, "theirs", other.path, other.method),
    ];
    for (const kind of ["path", "query", "header", "cookie"]) {
      const sent = both(pair, (type) => this.#at(type, "parameters", kind));
      const names = sent.flatMap((type) => this.#namesOf(type));
      yield* this.#members(sent, "request", names, ["parameters", kind]);
    }
    yield* this.#members(pair, "request", ["requestBody"], []);

    const responses = both(pair, (type) => this.#at(type, "responses"));
    // Daytona's description does not list the refusals.
    const successes = this.#namesOf(responses[0])
      .filter((status) => status.startsWith("2"));
    yield* this.#members(responses, "response", successes, ["responses"]);
  }

  *#members(
    pair: Pair,
    part: Part,
    names: readonly string[],
    within: Steps,
  ): Generator<Difference> {
    for (const name of new Set(names)) {
      const steps = [...within, name];
      const [mine, other] = both(pair, (type) => this.#member(type, name));
      if (mine && other) yield* this.#values([mine, other], part, steps);
      // A type without an optional member is still assignable, so the names have to tell.
      else if (mine) yield difference(part, steps, "gone", "gone");
      else if (other && part === "request" && !this.#mayBe("missing", other)) {
        yield difference(part, steps, "missing", "must not be missing");
      }
    }
  }

  *#values(pair: Pair, part: Part, steps: Steps): Generator<Difference> {
    const types = both(pair, (type) => this.#present(type));
    if (types.every((type) => this.#checker.isArrayType(type))) {
      const items = both(types, (type) => type.getNumberIndexType() ?? type);
      yield* this.#values(items, part, [...steps, "[]"]);
    } else if (types.every((type) => this.#isObject(type))) {
      const [ours, theirs] = both(types, (type) => this.#namesOf(type));
      const names = part === "request" ? [...ours, ...theirs] : ours;
      yield* this.#members(types, part, names, steps);
    } else if (!this.#fits(types, part)) {
      const [was, is] = both(types, (type) => this.#checker.typeToString(type));
      yield difference(part, steps, "type", `${is} instead of ${was}`);
      return;
    }

    for (const absence of ["missing", "null"] as const) {
      const [ours, theirs] = both(pair, (type) => this.#mayBe(absence, type));
      if (part === "request" && ours && !theirs) {
        yield difference(part, steps, absence, `must not be ${absence}`);
      } else if (part === "response" && theirs && !ours) {
        yield difference(part, steps, absence, `may be ${absence}`);
      }
    }
  }

  #fits([ours, theirs]: Pair, part: Part): boolean {
    // A schema that refers only to itself has this type, which is assignable to every other.
    if (theirs.flags & ts.TypeFlags.Any) return false;
    return part === "request"
      ? this.#checker.isTypeAssignableTo(ours, theirs)
      : this.#checker.isTypeAssignableTo(theirs, ours);
  }

  #mayBe(absence: "missing" | "null", type: ts.Type): boolean {
    const value = absence === "null"
      ? this.#checker.getNullType()
      : this.#checker.getUndefinedType();
    return this.#checker.isTypeAssignableTo(value, type);
  }

  /** Recognises objects, and choices between objects, which have the members that all of these have. */
  #isObject(type: ts.Type): boolean {
    if (type.isUnion()) return type.types.every((each) => this.#isObject(each));
    const flags = ts.TypeFlags.Object | ts.TypeFlags.Intersection;
    return (type.flags & flags) !== 0 && !this.#checker.isArrayType(type);
  }

  /** The type without null and undefined. */
  #present(type: ts.Type): ts.Type {
    const isUnknown = type.flags & ts.TypeFlags.Unknown;
    return isUnknown ? type : type.getNonNullableType();
  }

  /** The type of a member; undefined if there is none, or none that can have a value. */
  #member(type: ts.Type, name: string): ts.Type | undefined {
    const member = this.#checker.getPropertyOfType(type, name);
    if (member === undefined) return undefined;
    const value = this.#checker.getTypeOfSymbol(member);
    return this.#present(value).flags & ts.TypeFlags.Never ? undefined : value;
  }

  /** The type of a member of a member; never if there is none. */
  #at(type: ts.Type, ...names: string[]): ts.Type {
    return names.reduce((type, name) => {
      const member = this.#member(type, name);
      return member ? this.#present(member) : this.#checker.getNeverType();
    }, type);
  }

  #namesOf(type: ts.Type): string[] {
    return this.#checker.getPropertiesOfType(type).map(({ name }) => name);
  }
}

function both<T, R>([ours, theirs]: Pair<T>, map: (each: T) => R): Pair<R> {
  return [map(ours), map(theirs)];
}

function difference(
  part: Part,
  steps: Steps,
  problem: Difference["problem"],
  text: string,
): Difference {
  return { part, steps, problem, text: `${nameOf(steps)}: ${text}` };
}

function nameOf([kind = "", ...steps]: Steps): string {
  const [place, ...members] = kind === "parameters"
    ? [`${steps[0]} parameter ${steps[1]}`, ...steps.slice(2)]
    : kind === "responses"
    ? [`response ${steps[0]}`, ...steps.slice(1)]
    : [kind, ...steps];
  return [place, ...members].join(".").replaceAll(".[]", "[]");
}
