/** One request to an address, as far as the doctor has to read: its head, and when the parts of its body arrived. */
import {
  type ClientRequestArgs,
  type IncomingMessage,
  request,
} from "node:http";
import { connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";
import { type Failure, failureOf } from "../ask.ts";
import type { World } from "../world.ts";

/** Where to connect to. */
export interface Address {
  readonly hostname: string;
  readonly port: number;
  /** The name to ask for by TLS; undefined without TLS. */
  readonly servername: string | undefined;
}

/** What to ask for. */
export interface Question {
  /** The Host header. */
  readonly host: string;
  /** The request-target. */
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** How many parts of the body to wait for: none, the first, or the first two; 1 by default. */
  readonly parts?: 0 | 1 | 2;
}

/** A response, as far as it was read. */
export interface Visit {
  readonly answered: true;
  readonly status: number;
  readonly headers: Headers;
  /** The parts of the body that were waited for. */
  readonly text: string;
  /** The time from the request to the head of the response, ms. */
  readonly headMs: number;
  /** The times from the head of the response to each part, ms; fewer than asked for if the body ended, or in time none came. */
  readonly partsMs: readonly number[];
  /** True if the body ended. */
  readonly isComplete: boolean;
}

/** Sends a GET request, and closes the connection once it knows enough. */
export async function visit(
  address: Address,
  { host, target, headers = {}, parts = 1 }: Question,
  { now, deadline, caCerts }: World,
): Promise<Visit | Failure> {
  const signal = deadline();
  const answer = Promise.withResolvers<IncomingMessage>();
  const options: ClientRequestArgs = {
    path: target,
    headers: { host, connection: "close", ...headers },
    signal,
    createConnection: () => connectionTo(address, caCerts),
  };
  const sentAt = now();
  const sent = request(options, answer.resolve)
    .on("upgrade", (response, socket) => {
      socket.destroy();
      answer.resolve(response);
    })
    .on("error", answer.reject);
  sent.end();
  try {
    const response = await answer.promise;
    const headAt = now();
    const body = response.statusCode === 101
      ? NO_BODY
      : await readParts(response, parts, { now, headAt });
    return {
      answered: true,
      status: response.statusCode ?? 0,
      headers: headersOf(response),
      headMs: headAt - sentAt,
      ...body,
    };
  } catch (error) {
    return failureOf(signal.aborted ? signal.reason : error);
  } finally {
    sent.destroy();
  }
}

const NO_BODY = { text: "", partsMs: [], isComplete: true };

function connectionTo(
  { hostname: host, port, servername }: Address,
  caCerts: World["caCerts"],
) {
  return servername === undefined ? connectTcp({ host, port }) : connectTls({
    host,
    port,
    servername,
    // Another check has examined the certificate.
    rejectUnauthorized: false,
    ALPNProtocols: ["http/1.1"],
    ...caCerts === undefined ? {} : { ca: [...caCerts] },
  });
}

/** Reads that many parts of a body, or fewer if it ends or fails before. */
async function readParts(
  response: IncomingMessage,
  parts: number,
  { now, headAt }: { readonly now: World["now"]; readonly headAt: number },
): Promise<Pick<Visit, "text" | "partsMs" | "isComplete">> {
  const decoder = new TextDecoder();
  const partsMs: number[] = [];
  let text = "";
  if (parts === 0) return { text, partsMs, isComplete: false };
  try {
    for await (const part of response as AsyncIterable<Uint8Array>) {
      text += decoder.decode(part, { stream: true });
      partsMs.push(now() - headAt);
      if (partsMs.length >= parts) return { text, partsMs, isComplete: false };
    }
    return { text, partsMs, isComplete: true };
  } catch {
    return { text, partsMs, isComplete: false }; // nothing more came in time
  }
}

function headersOf({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers();
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    try {
      headers.append(rawHeaders[i] ?? "", rawHeaders[i + 1] ?? "");
    } catch {
      // Not a header that anybody looks for.
    }
  }
  return headers;
}
