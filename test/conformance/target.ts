/** What the suite runs against: the one place that knows how a gateway is started and its runner replaced. */
import assert from "node:assert/strict";
import { startGateway } from "../support/gateway.ts";
import {
  type RawResponse,
  type RawStream,
  rawStream,
  readResponse,
  valuesOf,
} from "../support/raw_client.ts";
import { KEYS, RUNNER_ID } from "../stack/stack.ts";
import {
  type RawRunner,
  type SeenRequest,
  startRawRunner,
} from "./raw_runner.ts";

/** A gateway between bare connections and a runner that is played by hand. */
export interface Target extends AsyncDisposable {
  /** Authority of a public sandbox's app. */
  readonly host: string;
  /** What its request-targets begin with at the runner. */
  readonly prefix: string;
  /** What the gateway adds to a request, behind the client's own fields and in front of the framing. */
  readonly added: string;
  readonly runner: RawRunner;
  connect(): Promise<RawStream>;
}

/** Starts a gateway and a runner; without its CORS fields, which are not HTTP's but a policy, nor a second cache. */
export async function startTarget(): Promise<Target> {
  await using started = new AsyncDisposableStack();
  const runner = started.use(startRawRunner());
  const gateway = started.use(
    await startGateway({
      CORS_MODE: "off",
      CACHE_URL: "none",
      // What the front itself lets through.
      MAX_TARGET_BYTES: "65536",
      MAX_HEADER_BYTES: "65536",
      MAX_HEADER_FIELDS: "128",
    }),
  );
  const { runners } = gateway.stack.api.state;
  const known = runners.get(RUNNER_ID);
  if (known === undefined) throw new Error("The stack has no runner");
  runners.set(RUNNER_ID, { ...known, proxyUrl: runner.url });
  const owned = started.move();
  const host = "3000-demo.proxy.localhost";
  return {
    host,
    prefix: "/sandboxes/demo/toolbox/proxy/3000",
    added: `x-request-id: ID\r\n` +
      `x-daytona-authorization: Bearer ${KEYS.runner}\r\n` +
      `x-forwarded-host: ${host}\r\nx-forwarded-proto: http\r\n` +
      "x-forwarded-for: 127.0.0.1\r\n",
    runner,
    connect: async () => rawStream(await gateway.connect()),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** A request to write; the method is GET and the target `/` unless the line says otherwise. */
export interface Message {
  readonly line?: string;
  /** Field lines behind Host. */
  readonly fields?: readonly string[];
  readonly body?: string;
}

/** A POST to write. */
export function post(fields: string | readonly string[], body = ""): Message {
  return { line: "POST / HTTP/1.1", fields: [fields].flat(), body };
}

/** The octets of a request to the app. */
export function messageOf(
  { host }: Target,
  { line = "GET / HTTP/1.1", fields = [], body = "" }: Message,
): string {
  return [line, `Host: ${host}`, ...fields, "", body].join("\r\n");
}

/** What the runner is to get, beside what the gateway adds. */
export interface Expected {
  readonly method?: string;
  readonly target?: string;
  /** Field lines: names are lower case and sorted, whatever their order was. */
  readonly fields?: readonly string[];
  readonly framing?: string | undefined;
}

/** The octets of the head that the runner is to get. */
export function upstreamHead(
  { runner, prefix, added }: Target,
  { method = "GET", target = "/", fields = [], framing }: Expected,
): string {
  const lines = fields.map((field) => `${field}\r\n`).join("");
  return `${method} ${prefix}${target} HTTP/1.1\r\n` +
    `host: ${new URL(runner.url).host}\r\n${lines}${added}` +
    `${framing === undefined ? "" : `${framing}\r\n`}\r\n`;
}

/** One exchange: the client's response, and what the runner saw meanwhile. */
export interface Outcome {
  readonly response: RawResponse;
  readonly seen: readonly SeenRequest[];
  /** The heads among that. */
  readonly heads: readonly string[];
}

/** Sends a request on a connection of its own and reads the response. */
export async function exchange(
  target: Target,
  message: Message | string = {},
): Promise<Outcome> {
  const before = target.runner.seen.length;
  using client = await target.connect();
  const text = typeof message === "string"
    ? message
    : messageOf(target, message);
  await client.write(text);
  const response = await readResponse(client, text.split(" ", 1)[0]);
  const seen = target.runner.seen.slice(before);
  return { response, seen, heads: seen.map(({ head }) => head) };
}

/** Asserts that the front itself refuses a request and closes, so that nothing behind it is read as another one. */
export async function assertRefused(
  target: Target,
  message: Message,
): Promise<void> {
  const { accepted } = target.runner;
  using client = await target.connect();
  await client.write(
    messageOf(target, message) + "GET /smuggled HTTP/1.1\r\nHost: app\r\n\r\n",
  );
  const { status, fields } = await readResponse(client);
  assert.equal(status, 400);
  assert.deepEqual(valuesOf(fields, "connection"), ["close"]);
  assert.equal(await client.readToEnd(), "");
  assert.equal(target.runner.accepted, accepted);
}

/** Asserts that a request arrives as one whole request of exactly these octets, and is answered with 200. */
export async function assertForwarded(
  target: Target,
  message: Message | string,
  { body = "", ...head }: Expected & { readonly body?: string | undefined },
): Promise<void> {
  const { response, seen } = await exchange(target, message);
  assert.equal(response.status, 200);
  assert.deepEqual(
    seen.map((one) => [one.head, one.body]),
    [[upstreamHead(target, head), body]],
  );
}

/** The gateway's own code for a failure; undefined where the answer is the app's or the front's. */
export function errorOf({ fields }: RawResponse): string | undefined {
  return valuesOf(fields, "x-porthole-error")[0];
}
