/** The gateway under test: the only place that knows how it is started, and how its runner is replaced. */
import { KEYS } from "../../scripts/stand_in/stack.ts";
import { DEMO, startGateway } from "../support/gateway.ts";
import { type RawStream, rawStream } from "../support/raw_client.ts";
import { connectTo, ELSEWHERE, type Elsewhere, reach } from "./elsewhere.ts";
import { type RawRunner, startRawRunner } from "./raw_runner.ts";

/** A gateway between raw client connections and a runner operated by hand. */
export interface Target extends AsyncDisposable {
  /** The authority of a public sandbox's preview. */
  readonly host: string;
  /** The prefix of its request-targets at the runner. */
  readonly prefix: string;
  /** The field lines that Porthole adds to a request, between the client's fields and the framing field. */
  readonly added: string;
  /** True if Porthole's choices are required where the RFCs leave one. */
  readonly isPorthole: boolean;
  readonly runner: RawRunner;
  connect(): Promise<RawStream>;
}

/** The gateway elsewhere that the cases test, if any. */
function elsewhere(): Elsewhere | undefined {
  const json = Deno.env.get(ELSEWHERE);
  return json === undefined ? undefined : JSON.parse(json);
}

/** Starts a gateway, or connects to the one elsewhere, and starts a runner, for one case. */
export async function startTarget(): Promise<Target> {
  const given = elsewhere();
  if (given === undefined) return await startPorthole();
  const { runner, clientAddress } = await reach(given);
  const { gateway, host, prefix, isPorthole } = given;
  return {
    ...{ host, prefix, isPorthole, runner },
    added: addedFields(host, clientAddress),
    connect: async () => rawStream(await connectTo(gateway)),
    [Symbol.asyncDispose]: () => runner[Symbol.asyncDispose](),
  };
}

/** Starts Porthole in this process, without its CORS fields, which are a policy, and without a durable cache. */
async function startPorthole(): Promise<Target> {
  await using started = new AsyncDisposableStack();
  const runner = started.use(startRawRunner());
  const gateway = started.use(await startGateway(PORTHOLE_ENVIRONMENT));
  gateway.stack.api.runnerOf("demo").proxyUrl = runner.url;
  const owned = started.move();
  return {
    ...{ host: DEMO, isPorthole: true, runner },
    prefix: "/sandboxes/demo/toolbox/proxy/3000",
    added: addedFields(DEMO, "127.0.0.1"),
    connect: async () => rawStream(await gateway.connect()),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** The configuration of Porthole that the cases require; the limits are those of its front. */
export const PORTHOLE_ENVIRONMENT = {
  CORS_MODE: "off",
  EDGE_CACHE: "public",
  CACHE_URL: "none",
  MAX_TARGET_BYTES: "65536",
  MAX_HEADER_BYTES: "65536",
  MAX_HEADER_FIELDS: "128",
} as const;

function addedFields(host: string, clientAddress: string): string {
  return `x-request-id: ID\r\n` +
    `x-daytona-authorization: Bearer ${KEYS.runner}\r\n` +
    `x-forwarded-host: ${host}\r\nx-forwarded-proto: http\r\n` +
    `x-forwarded-for: ${clientAddress}\r\n`;
}

function testChoice(
  name: string,
  body: (t: Deno.TestContext) => void | Promise<void>,
): void {
  const ignore = elsewhere()?.isPorthole === false;
  Deno.test({ name, ignore, fn: (t) => body(t) });
}

/**
 * Declares a case that tests a choice of Porthole's or of its front's, or a known deviation of theirs: it does not apply to
 * other gateways.
 */
export const test = { choice: testChoice } as const;
