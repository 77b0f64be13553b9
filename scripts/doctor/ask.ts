/** One HTTP request with a deadline, whose failure is told apart by what an operator would do about it. */
import { describeError } from "../../src/lib/describe_error.ts";
import type { World } from "./world.ts";

/** A response, read to its end. */
export interface Answer {
  readonly answered: true;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The parsed body; undefined where it is not JSON. */
  readonly json: unknown;
  /** When the response head came, ms since the epoch. */
  readonly at: number;
  /** How long that took, ms. */
  readonly tookMs: number;
}

/** What kept a response from coming. */
export type Obstacle = "dns" | "refused" | "tls" | "timeout" | "other";

/** No response. */
export interface Silence {
  readonly answered: false;
  readonly obstacle: Obstacle;
  /** Goes on from "it is not reached: ". */
  readonly reason: string;
}

/** What came of a request. */
export type Reply = Answer | Silence;

/** Sends a GET request; redirects are not followed, so that no credential travels further. */
export async function ask(
  url: string,
  { now, deadline }: Pick<World, "now" | "deadline">,
  headers: Readonly<Record<string, string>> = {},
): Promise<Reply> {
  const sentAt = now();
  try {
    const response = await fetch(url, {
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
    return silenceOf(error);
  }
}

/** Reads a failure of `fetch` or of a socket. */
export function silenceOf(error: unknown): Silence {
  if (error instanceof Error && error.name === "TimeoutError") {
    return silence("timeout", "no answer in time");
  }
  const text = describeError(error);
  if (/dns error|ENOTFOUND/i.test(text)) {
    return silence("dns", "its name does not resolve");
  }
  if (/refused/i.test(text)) return silence("refused", "nothing listens there");
  // The runtime puts the whole URL in front of what happened.
  const reason = text.replace(/^.*\bclient error \(\w+\): /s, "")
    .replaceAll(/\(?https?:\/\/\S+/gi, "(url)");
  return /certificate|tls|ssl|InvalidContentType/i.test(reason)
    ? silence("tls", `TLS fails (${reason})`)
    : silence("other", reason);
}

function silence(obstacle: Obstacle, reason: string): Silence {
  return { answered: false, obstacle, reason };
}

/** The value that a text of JSON stands for; undefined where it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
