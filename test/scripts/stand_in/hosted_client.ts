/** A client of the hosted stand-in's proxy, which shows what was on the wire, and what the app saw. */
import {
  HOSTED_CA,
  HOSTED_DOMAIN,
} from "../../../scripts/stand_in/hosted_certificate.ts";
import type { HostedStack } from "../../../scripts/stand_in/hosted_stack.ts";
import {
  type Field,
  type RawResponse,
  type RawStream,
  rawStream,
  readResponse,
  valuesOf,
} from "../../support/raw_client.ts";

/** Differences from a GET of `/echo` without any header. */
export interface HostedRequestOptions {
  readonly method?: string;
  readonly target?: string;
  /** Header lines. */
  readonly headers?: readonly string[];
  readonly body?: string;
  /** The domain of the proxy. */
  readonly domain?: string;
}

/** A response of the proxy. */
export interface HostedResponse extends RawResponse {
  /** The values of a header, given in lower case. */
  all(name: string): string[];
}

/** What the app of the stack saw. */
export interface Echo {
  readonly url: string;
  readonly body: string;
  /** The values of a header, given in lower case. */
  all(name: string): string[];
}

/** Opens a connection, for a host below the proxy's domain if there is TLS. */
export async function connectToHosted(
  { hosted }: HostedStack,
  hostname: string,
): Promise<RawStream> {
  const { port, scheme } = hosted;
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  if (scheme === "http") return rawStream(conn);
  const tls = await Deno.startTls(conn, { hostname, caCerts: [HOSTED_CA] });
  return rawStream(tls);
}

/** Sends a request to a host below the proxy's domain, such as `3000-demo`, or to that itself. */
export async function askHosted(
  stack: HostedStack,
  label: string,
  options: HostedRequestOptions = {},
): Promise<HostedResponse> {
  const { domain = HOSTED_DOMAIN, method = "GET" } = options;
  const hostname = label === "" ? domain : `${label}.${domain}`;
  using stream = await connectToHosted(stack, hostname);
  await stream.write(headOf(stack, hostname, options) + (options.body ?? ""));
  const response = await readResponse(stream, method);
  return { ...response, all: (name) => valuesOf(response.fields, name) };
}

/** The head of a request. */
export function headOf(
  { hosted }: HostedStack,
  hostname: string,
  { method = "GET", target = "/echo", headers = [], body }:
    HostedRequestOptions,
): string {
  const length = body === undefined ? [] : [`Content-Length: ${body.length}`];
  return [
    `${method} ${target} HTTP/1.1`,
    `Host: ${hostname}:${hosted.port}`,
    ...headers,
    ...length,
    "",
    "",
  ].join("\r\n");
}

/** What the app saw of a request that it echoed. */
export function echoOf({ body }: RawResponse): Echo {
  const echo: { url: string; body: string; headers: Field[] } = JSON.parse(
    body,
  );
  return { ...echo, all: (name) => valuesOf(echo.headers, name) };
}

/** The header line with the preview token of `locked`. */
export const TOKEN = "X-Daytona-Preview-Token: locked-token";
