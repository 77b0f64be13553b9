/**
 * Exchanges, and assertions on them: Porthole's are compared octet for octet, those of other gateways by their meaning.
 */
import assert from "node:assert/strict";
import {
  Closed,
  type Field,
  parseHead,
  type RawResponse,
  readResponse,
  valuesOf,
} from "../support/raw_client.ts";
import type { SeenRequest } from "./raw_runner.ts";
import type { Target } from "./target.ts";

/** A request to send. */
export interface Message {
  /** The request-line; `GET / HTTP/1.1` by default. */
  readonly line?: string;
  /** The field lines after Host. */
  readonly fields?: readonly string[];
  readonly body?: string;
}

/** A POST to send. */
export function post(fields: string | readonly string[], body = ""): Message {
  return { line: "POST / HTTP/1.1", fields: [fields].flat(), body };
}

/** The octets of a request to the preview. */
export function messageOf(
  { host }: Target,
  { line = "GET / HTTP/1.1", fields = [], body = "" }: Message,
): string {
  return [line, `Host: ${host}`, ...fields, "", body].join("\r\n");
}

/** The parts that the runner must receive, besides what the gateway adds. */
export interface Expected {
  readonly method?: string;
  readonly target?: string;
  /** Field lines, with lower-case names in alphabetical order. */
  readonly fields?: readonly string[];
  readonly framing?: string | undefined;
}

/** The octets of the head that the runner must receive. */
export function upstreamHead(
  { runner, prefix, added }: Target,
  { method = "GET", target = "/", fields = [], framing }: Expected,
): string {
  const namesCodings = fields.some((line) =>
    line.startsWith("accept-encoding:")
  );
  const lines = [
    ...fields,
    ...namesCodings ? [] : ["accept-encoding: identity"],
  ]
    .map((field) => `${field}\r\n`).join("");
  return `${method} ${prefix}${target} HTTP/1.1\r\n` +
    `host: ${new URL(runner.url).host}\r\n${lines}${added}` +
    `${framing === undefined ? "" : `${framing}\r\n`}\r\n`;
}

/** The result of an exchange: the client's response, and the requests that the runner saw meanwhile. */
export interface Outcome {
  readonly response: RawResponse;
  readonly seen: readonly SeenRequest[];
  /** The heads of these requests. */
  readonly heads: readonly string[];
}

/** Sends a request on a new connection, and reads the response. */
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

/** A request that must never be forwarded. */
function smuggled({ host }: Target): string {
  return `GET /smuggled HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
}

/**
 * Asserts that a request is refused and its connection closed, so that nothing after it is read as another request. A
 * gateway other than Porthole may forward it instead, if that leaves no ambiguity.
 */
export async function assertRefused(
  target: Target,
  message: Message,
): Promise<void> {
  const { runner } = target;
  const before = runner.seen.length;
  if (!target.isPorthole) {
    await attempt(target, message, smuggled(target));
    for (const request of runner.seen.slice(before)) assertUnambiguous(request);
    return;
  }
  using client = await target.connect();
  await client.write(messageOf(target, message) + smuggled(target));
  const { status, fields } = await readResponse(client);
  assert.equal(status, 400);
  assert.deepEqual(valuesOf(fields, "connection"), ["close"]);
  assert.equal(await client.readToEnd(), "");
  assert.equal(runner.seen.length, before);
}

/** Sends a request, followed by `behind`, to a gateway that may respond, close or remain silent. */
export async function attempt(
  target: Target,
  message: Message,
  behind = "",
): Promise<void> {
  using client = await target.connect();
  try {
    await client.write(messageOf(target, message) + behind);
    await readResponse(client);
  } catch (error) {
    if (
      !(error instanceof Closed || error instanceof Deno.errors.Interrupted)
    ) {
      throw error;
    }
  }
}

function assertUnambiguous({ target, fields }: SeenRequest): void {
  assert(!target.includes("smuggled"), target);
  const framing = ["content-length", "transfer-encoding"].flatMap((name) =>
    valuesOf(fields, name)
  );
  assert(framing.length <= 1, framing.join());
}

/** Asserts that a request arrives as one complete request with this head and body, and is answered with 200. */
export async function assertForwarded(
  target: Target,
  message: Message | string,
  { body = "", ...expected }: Expected & { readonly body?: string | undefined },
): Promise<void> {
  const { response, seen } = await exchange(target, message);
  assert.equal(response.status, 200);
  assert.deepEqual(seen.map((one) => [one.body, one.isComplete]), [
    [body, true],
  ]);
  for (const one of seen) {
    if (target.isPorthole) {
      assert.equal(one.head, upstreamHead(target, expected));
    } else {
      assertEquivalent(target, one, {
        sent: requestHeadersOf(message),
        ...expected,
      });
    }
  }
}

function requestHeadersOf(message: Message | string): readonly Field[] {
  const lines = typeof message === "string"
    ? message.split("\r\n\r\n", 1)[0]?.split("\r\n").slice(1) ?? []
    : message.fields ?? [];
  return parseHead(["", ...lines].join("\r\n")).fields;
}

/** Fields that each hop sets itself, and fields that a gateway adds to. */
const HOP_FIELDS =
  /^(?:connection|host|content-length|transfer-encoding|te|via|user-agent|accept.*|forwarded|x-forwarded-.*|x-request-id|upgrade)$/;

/** Asserts that the expected fields arrive, and no other field that was sent; the gateway may add fields. */
function assertEquivalent(
  { prefix }: Target,
  request: SeenRequest,
  { method = "GET", target = "/", fields = [], sent }: Expected & {
    readonly sent: readonly Field[];
  },
): void {
  assertUnambiguous(request);
  assert.equal(
    `${request.method} ${request.target}`,
    method + " " + prefix + target,
  );
  const expected = parseHead(["", ...fields].join("\r\n")).fields;
  for (const [name, value] of expected) {
    assert.equal(valuesOf(request.fields, name).join(", "), value, name);
  }
  for (const [name] of sent) {
    const lower = name.toLowerCase();
    if (HOP_FIELDS.test(lower)) continue;
    const arrives = valuesOf(request.fields, lower).length > 0;
    assert.equal(arrives, valuesOf(expected, lower).length > 0, name);
  }
}

/**
 * Asserts that a response is the gateway's own: Porthole's with this status and code, another's with the same class.
 */
export function assertOwn(
  { isPorthole }: Target,
  response: RawResponse,
  status: number,
  code?: string,
): void {
  if (isPorthole) {
    assert.equal(response.status, status);
    assert.equal(errorOf(response), code);
  } else {
    assert.equal(
      Math.floor(response.status / 100),
      Math.floor(status / 100),
      response.statusLine,
    );
  }
}

/** Porthole's error code; undefined if the response is the app's or `Deno.serve`'s. */
export function errorOf({ fields }: RawResponse): string | undefined {
  return valuesOf(fields, "x-porthole-error")[0];
}
