/** An app on raw sockets, which sees what it is told of its own address, and a client that is one of its pages. */
import { BASE, type TestGateway } from "../support/gateway.ts";
import { headOf } from "../support/load_client.ts";
import {
  parseHead,
  type RawResponse,
  readResponse,
} from "../support/raw_client.ts";
import { withRawServer } from "../support/raw_server.ts";
import { handshakeOf } from "../support/raw_websocket.ts";
import { switchingProtocols } from "../support/wire_frames.ts";
import type { StartGateway } from "../support/worlds.ts";

/** The app's host and origin, and where it believes to be. */
export const APP = `8000-demo.${BASE}`;
export const OWN = `http://${APP}`;
export const LOCAL = "http://localhost:8000";

/** What an app saw of a request. */
export interface Seen {
  readonly method: string;
  readonly target: string;
  /** By lower-case name; the values of several lines are joined. */
  readonly headers: ReadonlyMap<string, string>;
}

/** X-Forwarded-Host, without what somebody else's proxy adds; undefined if nothing is left. */
export function forwardedHostIn({ headers }: Seen): string | undefined {
  return headers.get("x-forwarded-host")?.replace(ADDED_HOST, "") || undefined;
}

/** The whole response to a request; empty for one that the app drops. */
export type Answer = (seen: Seen) => string;

/** What somebody else's proxy adds to X-Forwarded-Host, after the values that came. */
const ADDED_HOST = /(?:, )?\d+-[\w-]+\.hosted\.localhost:\d+$/;

/** Runs `use` with an app on port 8000 of the sandboxes `demo` and `locked`, that answers one request a connection. */
export async function withApp(
  startGateway: StartGateway,
  answer: Answer,
  use: (gateway: TestGateway, seen: Seen[]) => Promise<void>,
  environment: Record<string, string> = {},
): Promise<void> {
  const seen: Seen[] = [];
  await using gateway = await startGateway(environment);
  await withRawServer(async (conn) => {
    const { line, fields } = parseHead(await conn.readHead());
    const [method = "", target = ""] = line.split(" ");
    const headers = new Map<string, string>();
    for (const [name, value] of fields) {
      const before = headers.get(name.toLowerCase());
      headers.set(
        name.toLowerCase(),
        before === undefined ? value : `${before}, ${value}`,
      );
    }
    const latest = { method, target, headers };
    seen.push(latest);
    const length = Number(headers.get("content-length") ?? 0);
    await conn.read(length);
    await conn.write(answer(latest));
    conn.close();
  }, async ({ origin }) => {
    for (const id of ["demo", "locked"]) {
      gateway.stack.runner.containers.get(id)?.ports.set(8000, origin.port);
    }
    await use(gateway, seen);
  });
}

/** A response with these lines after the first. */
export function response(status: number, ...lines: string[]): string {
  return [`HTTP/1.1 ${status} Any`, "Connection: close", ...lines, "", ""]
    .join("\r\n");
}

/** A 101 that completes the handshake. */
export function accepted({ headers }: Seen): string {
  return switchingProtocols(headers.get("sec-websocket-key") ?? "");
}

/** Sends a request to the app, and returns the response. */
export async function request(
  gateway: TestGateway,
  method: string,
  headers: Readonly<Record<string, string>>,
  { host = APP, path = "/" } = {},
): Promise<RawResponse> {
  const length = method === "GET" || method === "HEAD"
    ? {}
    : { "content-length": "0" };
  const all = { ...headers, ...length };
  using stream = await gateway.open(
    headOf({ method, host, path, headers: all }),
  );
  return await readResponse(stream, method);
}

/** The response to an opening handshake; the WebSocket is not used. */
export async function handshake(
  gateway: TestGateway,
  headers: Readonly<Record<string, string>>,
  { host = APP, path = "/" } = {},
): Promise<RawResponse> {
  using stream = await gateway.open(handshakeOf(host, path, headers));
  return await readResponse(stream, "GET");
}

/** A header of a response, by its lower-case name. */
export function valueOf(
  { fields }: RawResponse,
  name: string,
): string | undefined {
  return fields.find(([key]) => key.toLowerCase() === name)?.[1];
}

/** What a request told the app of its address: Origin, Referer, X-Forwarded-Host and -Proto. */
export function addressIn(seen: Seen): (string | undefined)[] {
  const { headers } = seen;
  return [
    headers.get("origin"),
    headers.get("referer"),
    forwardedHostIn(seen),
    headers.get("x-forwarded-proto"),
  ];
}
