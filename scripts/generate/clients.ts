/** Typed clients of Daytona's API, one class for each tag of its description. */
import { parse } from "yaml";
import {
  type Description,
  type Operation,
  operationsOf,
  SLICE,
} from "../contract/description.ts";
import type { Artefact } from "./artefact.ts";
import { formatted } from "./text.ts";

/** What the clients are made from. */
interface Source extends Description {
  readonly tags: readonly { readonly name: string; description: string }[];
}

/** A method of a client. */
interface Call {
  readonly name: string;
  readonly summary: string;
  readonly tag: string;
  readonly method: string;
  readonly path: string;
}

const HEAD = `/**
 * Clients of the part of Daytona's API that Porthole calls: a class for each tag, a method for each operation.
 *
 * Generated from openapi/daytona.yaml (\`deno task gen\`): edit that file, not this one.
 */
import createClient, {
  type Client,
  type ClientOptions,
  type FetchOptions,
  type FetchResponse,
} from "openapi-fetch";
import type { operations, paths } from "./daytona.ts";

/** Parameters and body of a call, and options of \`fetch\`. */
type Init<Id extends keyof operations> = FetchOptions<operations[Id]>;

/** Resolves with any response, of which \`data\` is the body of a 2xx, parsed as the call's \`parseAs\` says. */
type Answer<Id extends keyof operations, Call> = Promise<
  FetchResponse<operations[Id], Call, \`\${string}/\${string}\`>
>;
`;

/** The API's clients, for src/daytona. */
export const daytonaClients: Artefact = {
  path: "gen/clients.ts",
  async produce() {
    return await formatted(
      clientsOf(parse(await Deno.readTextFile(SLICE))),
      "ts",
    );
  },
};

/**
 * The source of the clients of a description.
 *
 * @throws {Error} unless every operation has an id, a summary and one tag that is described
 */
export function clientsOf(source: Source): string {
  const { tags } = source;
  const names = tags.map(({ name }) => name);
  const calls = operationsOf(source)
    .map((operation) => callOf(operation, names));
  const classes = tags.map(({ name, description }) => `
/** ${comment(description)} */
export class ${className(name)} {
  readonly #http: Client<paths>;

  constructor(http: Client<paths>) {
    this.#http = http;
  }
${calls.filter((call) => call.tag === name).map(methodOf).join("")}}
`);
  return HEAD + classes.join("") + `
/** All of these clients, with the same options. */
export class DaytonaClient {
${
    tags.map(({ name }) => `readonly ${property(name)}: ${className(name)};\n`)
      .join("")
  }
  constructor(options: ClientOptions) {
    const http = createClient<paths>(options);
${
    tags.map(({ name }) =>
      `this.${property(name)} = new ${className(name)}(http);\n`
    ).join("")
  }}
}
`;
}

function methodOf({ name, summary, method, path }: Call): string {
  return `
  /** ${comment(summary)} */
  ${name}<Call extends Init<"${name}">>(init: Call): Answer<"${name}", Call> {
    return this.#http.${method}("${path}", init);
  }
`;
}

function callOf(operation: Operation, known: readonly string[]): Call {
  const { operationId: name = "", summary = "", path } = operation;
  const { tags: [tag = "", ...more] = [] } = operation;
  const method = operation.method.toUpperCase();
  const problem = !/^[A-Za-z_]\w*$/.test(name)
    ? "operationId is no name for a method"
    : summary === ""
    ? "summary is missing"
    : !known.includes(tag) || more.length > 0
    ? "tags must name one of the described tags"
    : undefined;
  if (problem !== undefined) throw new Error(`${method} ${path}: ${problem}`);
  return { name, summary, tag, method, path };
}

/** The text as it can stand in a comment. */
function comment(text: string): string {
  return text.trim().replaceAll("*/", "*\\/");
}

/** The name of a tag's client: `PreviewAPI` for `preview`, `ApiKeysAPI` for `api-keys`. */
function className(tag: string): string {
  return `${words(tag).map(capitalised).join("")}API`;
}

/** The name of a tag's client as a property: `apiKeys` for `api-keys`. */
function property(tag: string): string {
  const [first = "", ...rest] = words(tag);
  return first + rest.map(capitalised).join("");
}

function words(tag: string): string[] {
  return tag.split("-");
}

function capitalised(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1);
}
