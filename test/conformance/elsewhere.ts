/** Any gateway that runs elsewhere: the cases reach it over the network, and act as its runner. */
import { rawStream, readResponse } from "../support/raw_client.ts";
import { addressOf, ok, type RawRunner, startRawRunner } from "./raw_runner.ts";

/** The facts about the gateway that the cases have to know. */
export interface Elsewhere {
  /** Where it listens for plain http, `host:port`. */
  readonly gateway: string;
  /** Where the cases listen as its runner, and the address by which it knows that, `host:port`. */
  readonly runner: string;
  /** The authority of a public sandbox's preview. */
  readonly host: string;
  /** The prefix of that preview's request-targets at the runner. */
  readonly prefix: string;
  /** True if Porthole's own choices are required as well. */
  readonly isPorthole: boolean;
}

/** The environment variable that passes it to the process that runs the cases, as JSON. */
export const ELSEWHERE = "CONFORMANCE_TARGET";

/** A gateway that forwards requests to our runner. */
export interface Reached {
  /** A runner that has seen no requests yet. */
  readonly runner: RawRunner;
  /** Our address as the gateway sees it. */
  readonly clientAddress: string;
}

/**
 * Starts the runner, after a request through the gateway to another one, which uses up the connections that the gateway
 * has kept to the runner of the previous case.
 *
 * @throws {Error} if that request does not arrive at the runner.
 */
export async function reach(elsewhere: Elsewhere): Promise<Reached> {
  const clientAddress = await probe(elsewhere);
  return { runner: startRawRunner(elsewhere.runner), clientAddress };
}

async function probe(
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
      `The gateway answers '${statusLine}' without a request to ${runner}`,
    );
  }
  if (seen.target !== `${prefix}/`) {
    throw new Error(`The gateway requests ${seen.target}, not ${prefix}/`);
  }
  return conn.localAddr.hostname;
}

/** Opens a connection to `host:port`. */
export function connectTo(authority: string): Promise<Deno.TcpConn> {
  return Deno.connect(addressOf(authority));
}
