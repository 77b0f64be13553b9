/** One HTTP request with a deadline; failures are classified by what an operator would do about them. */
import type { Config } from "../../src/config/config.ts";
import { describeError } from "../../src/lib/describe_error.ts";
import type { World } from "./world.ts";

/** A response, read to its end. */
export interface Answer {
  readonly answered: true;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The parsed body; undefined if it is not JSON. */
  readonly json: unknown;
  /** When the response head arrived, ms since the epoch. */
  readonly at: number;
  /** The time from the request until then, ms. */
  readonly tookMs: number;
}

/** Why there is no response. */
export type FailureKind = "dns" | "refused" | "tls" | "timeout" | "other";

/** A request without a response. */
export interface Failure {
  readonly answered: false;
  readonly kind: FailureKind;
  /** Completes "Cannot reach it: ". */
  readonly reason: string;
}

/** The result of a request. */
export type Reply = Answer | Failure;

/** Sends a request without a body; redirects are not followed, so that no credential reaches another server. */
export async function ask(
  url: string,
  { now, deadline }: Pick<World, "now" | "deadline">,
  headers: Readonly<Record<string, string>> = {},
  method = "GET",
): Promise<Reply> {
  const sentAt = now();
  try {
    const response = await fetch(url, {
      method,
      headers: { accept: "application/json, */*;q=0.5", ...headers },
      redirect: "manual",
      signal: deadline(),
    });
    const at = now();
    const text = await response.text();
    return {
      answered: true,
      status: response.status,
      headers: response.headers,
      text,
      json: parseJson(text),
      at,
      tookMs: at - sentAt,
    };
  } catch (error) {
    return failureOf(error);
  }
}

/** Sends a request for a path of the API, with the gateway's key. */
export function askWithKey(
  { apiUrl, serviceKey }: Config["daytona"],
  path: string,
  world: Pick<World, "now" | "deadline">,
  method?: string,
): Promise<Reply> {
  const headers = { authorization: `Bearer ${serviceKey}` };
  return ask(apiUrl + path, world, headers, method);
}

/** Classifies an error of `fetch` or of a socket. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Error && error.name === "TimeoutError") {
    return failure("timeout", "no answer in time");
  }
  const text = describeError(error);
  if (/dns error|ENOTFOUND/i.test(text)) {
    return failure("dns", "its name does not resolve");
  }
  if (/refused/i.test(text)) return failure("refused", "nothing listens there");
  // The runtime puts the whole URL in front of the actual error.
  const reason = text.replace(/^.*\bclient error \(\w+\): /s, "")
    .replaceAll(/\(?https?:\/\/\S+/gi, "(url)");
  return /certificate|tls|ssl|InvalidContentType/i.test(reason)
    ? failure("tls", `TLS fails (${reason})`)
    : failure("other", reason);
}

function failure(kind: FailureKind, reason: string): Failure {
  return { answered: false, kind, reason };
}

/** Parses JSON; undefined if the text is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
