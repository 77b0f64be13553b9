/** A gateway that runs somewhere else, of whatever make: the cases reach it over the network, and play its runner. */
import { rawStream, readResponse } from "../support/raw_client.ts";
import { addressOf, ok, type RawRunner, startRawRunner } from "./raw_runner.ts";

/** What the cases have to know of it. */
export interface Elsewhere {
  /** Where it listens, over plain http: `host:port`. */
  readonly gateway: string;
  /** Where the cases listen as its runner, and what it calls that: `host:port`. */
  readonly runner: string;
  /** Authority of a public sandbox's app. */
  readonly host: string;
  /** What that app's request-targets begin with at the runner. */
  readonly prefix: string;
  /** Whether it is held to Porthole's own choices, too. */
  readonly isPorthole: boolean;
}

/** The environment variable that names it to the process in which the cases run, as JSON. */
export const ELSEWHERE = "CONFORMANCE_TARGET";

/** A gateway elsewhere that was seen to lead to our runner. */
export interface Reached {
  /** Has seen nothing yet. */
  readonly runner: RawRunner;
  /** Our address as the gateway sees it. */
  readonly clientAddress: string;
}

/**
 * Starts the runner. Before that the gateway is asked for its front page once: what it keeps of connections to the
 * runner of the case before is used up then.
 *
 * @throws {Error} If the request does not arrive at the runner.
 */
export async function reach(elsewhere: Elsewhere): Promise<Reached> {
  const clientAddress = await askOnce(elsewhere);
  return { runner: startRawRunner(elsewhere.runner), clientAddress };
}

async function askOnce(
  { gateway, runner, host, prefix }: Elsewhere,
): Promise<string> {
  await using first = startRawRunner(runner);
  first.answer = ok(["Connection: close", "Content-Length: 2"], "ok");
  const conn = await connectTo(gateway);
  using client = rawStream(conn);
  await client.write(
    `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
  );
  const { statusLine } = await readResponse(client);
  const [seen] = first.seen;
  if (seen === undefined) {
    throw new Error(
      `The gateway answers '${statusLine}' and asks nothing of ${runner}`,
    );
  }
  if (seen.target !== `${prefix}/`) {
    throw new Error(`The gateway asks for ${seen.target}, not ${prefix}/`);
  }
  return conn.localAddr.hostname;
}

/** Opens a connection to `host:port`. */
export function connectTo(authority: string): Promise<Deno.TcpConn> {
  return Deno.connect(addressOf(authority));
}
