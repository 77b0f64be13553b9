/** What the suite runs against: the one place that knows how a gateway is started and its runner replaced. */
import { startGateway } from "../support/gateway.ts";
import { type RawStream, rawStream } from "../support/raw_client.ts";
import { KEYS, RUNNER_ID } from "../stack/stack.ts";
import { connectTo, ELSEWHERE, type Elsewhere, reach } from "./elsewhere.ts";
import { type RawRunner, startRawRunner } from "./raw_runner.ts";

/** A gateway between bare connections and a runner that is played by hand. */
export interface Target extends AsyncDisposable {
  /** Authority of a public sandbox's app. */
  readonly host: string;
  /** What its request-targets begin with at the runner. */
  readonly prefix: string;
  /** What Porthole adds to a request, behind the client's own fields and in front of the framing. */
  readonly added: string;
  /** Whether what the RFCs leave open has to be as Porthole does it. */
  readonly isPorthole: boolean;
  readonly runner: RawRunner;
  connect(): Promise<RawStream>;
}

/** The gateway that the cases are for, where it is not one of their own. */
function elsewhere(): Elsewhere | undefined {
  const json = Deno.env.get(ELSEWHERE);
  return json === undefined ? undefined : JSON.parse(json);
}

/** A gateway and a runner, for one case. */
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

/** Porthole in this process; without its CORS fields, which are not HTTP's but a policy, nor a second cache. */
async function startPorthole(): Promise<Target> {
  await using started = new AsyncDisposableStack();
  const runner = started.use(startRawRunner());
  const gateway = started.use(await startGateway(PORTHOLE_ENVIRONMENT));
  const { runners } = gateway.stack.api.state;
  const known = runners.get(RUNNER_ID);
  if (known === undefined) throw new Error("The stack has no runner");
  runners.set(RUNNER_ID, { ...known, proxyUrl: runner.url });
  const owned = started.move();
  const host = "3000-demo.proxy.localhost";
  return {
    ...{ host, isPorthole: true, runner },
    prefix: "/sandboxes/demo/toolbox/proxy/3000",
    added: addedFields(host, "127.0.0.1"),
    connect: async () => rawStream(await gateway.connect()),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** How Porthole has to be configured for the cases: the limits are what its front lets through. */
export const PORTHOLE_ENVIRONMENT = {
  CORS_MODE: "off",
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

/**
 * For cases where the RFCs leave a choice, and this is Porthole's or its front's, or where theirs is a known deviation:
 * no other gateway is held to them.
 */
export const CHOICE = { ignore: elsewhere()?.isPorthole === false } as const;
