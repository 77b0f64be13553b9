/** Requests by node:http, which preserves the request-target and the order of fields. */
import { type Agent, request as httpRequest } from "node:http";
import { buffer } from "node:stream/consumers";

/** A request; GET by default. */
export interface SendOptions {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | undefined;
}

/** A complete response. */
export interface Answer {
  readonly status: number;
  /** The gateway's error code; null if the response is the app's. */
  readonly code: string | null;
  readonly headers: Headers;
  /** Names and values, alternating, as received. */
  readonly rawHeaders: readonly string[];
  readonly body: string;
  readonly bytes: Uint8Array;
  json(): Record<string, unknown>;
  /** The headers that the app received, by lower-case name, according to its `/echo`. */
  echoed(): Map<string, string>;
}

/** Sends a request to a port of 127.0.0.1, on a connection of its own unless there is an agent. */
export async function send(
  host: string,
  { port, agent = false, method = "GET", path = "/", headers, body }:
    & SendOptions
    & { readonly port: number; readonly agent?: Agent | false },
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const request = httpRequest({
    hostname: "127.0.0.1",
    port,
    agent,
    method,
    path,
    headers: { host, ...headers },
  });
  request.on("error", reject);
  request.on("response", (response) => {
    buffer(response).then((content) => {
      const { statusCode = 0, rawHeaders } = response;
      resolve(answerOf(statusCode, rawHeaders, new Uint8Array(content)));
    }).catch(reject);
  });
  request.end(body);
  return await promise;
}

function answerOf(
  status: number,
  rawHeaders: readonly string[],
  bytes: Uint8Array,
): Answer {
  const headers = new Headers();
  for (let i = 0; i < rawHeaders.length; i += 2) {
    headers.append(rawHeaders[i] ?? "", rawHeaders[i + 1] ?? "");
  }
  const body = new TextDecoder().decode(bytes);
  return {
    status,
    code: headers.get("x-porthole-error"),
    headers,
    rawHeaders,
    body,
    bytes,
    json: () => JSON.parse(body),
    echoed() {
      const lines: [string, string][] = JSON.parse(body).headers;
      return new Map(lines.map(([name, value]) => [name.toLowerCase(), value]));
    },
  };
}
