/** One request and what becomes of it, and what a gateway is held to: Porthole to the octet, others to the meaning. */
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

/** A request that must not come out of another one. */
function smuggled({ host }: Target): string {
  return `GET /smuggled HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
}

/**
 * Asserts that a request is refused and its connection closed, so that nothing behind it is read as another one. A
 * gateway other than Porthole may pass it on instead, where only one reading of it is left.
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

/** Sends a request, and something behind it, to a gateway that may answer, close or fall silent. */
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

/** Asserts that a request arrives as one whole request with this head and body, and is answered with 200. */
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
      assertMeans(target, one, { sent: fieldsOf(message), ...expected });
    }
  }
}

function fieldsOf(message: Message | string): readonly Field[] {
  const lines = typeof message === "string"
    ? message.split("\r\n\r\n", 1)[0]?.split("\r\n").slice(1) ?? []
    : message.fields ?? [];
  return parseHead(["", ...lines].join("\r\n")).fields;
}

/** Fields that every hop has of its own, and those that a gateway adds to. */
const EACH_HOPS_OWN =
  /^(?:connection|host|content-length|transfer-encoding|te|via|user-agent|accept.*|forwarded|x-forwarded-.*|x-request-id|upgrade)$/;

/** Asserts that of the fields sent those arrive that are expected to, and no other; whatever else there is. */
function assertMeans(
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
    if (EACH_HOPS_OWN.test(lower)) continue;
    const arrives = valuesOf(request.fields, lower).length > 0;
    assert.equal(arrives, valuesOf(expected, lower).length > 0, name);
  }
}

/** Asserts that an answer is the gateway's own: Porthole's status and code, or another one's of the same class. */
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

/** Porthole's own code for a failure; undefined where the answer is the app's or the front's. */
export function errorOf({ fields }: RawResponse): string | undefined {
  return valuesOf(fields, "x-porthole-error")[0];
}
