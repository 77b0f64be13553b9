/** The end of the process: its exit code, and one line for the operator. */
import type { ListenAddress } from "../downstream/http/listen.ts";
import { describeError } from "../lib/describe_error.ts";

/** The end of a run. */
export interface Outcome {
  /** One of {@linkcode EXIT_CODES}. */
  readonly code: number;
  /** One line that says why it failed; absent if it did not. */
  readonly reason?: string;
}

/** All exit codes; a forced stop follows the shells' convention: 128 plus the number of the signal. */
export const EXIT_CODES = {
  stopped: 0,
  failed: 1,
  misconfigured: 2,
  SIGINT: 130,
  SIGTERM: 143,
} as const;

/** Explains in one line why listening on an address failed, and which variable to set. */
export function explainListenError(
  error: unknown,
  { hostname, port }: ListenAddress,
): string {
  switch (error instanceof Error && "code" in error ? error.code : undefined) {
    case "EADDRINUSE":
      return `Port ${port} is taken: set PROXY_PORT.`;
    case "EADDRNOTAVAIL":
      return `${hostname} is not an address of this machine: set PROXY_HOST.`;
    case "EACCES":
      return `This user is not allowed to listen on port ${port}: set PROXY_PORT to a port above 1023.`;
    default:
      return `Cannot listen on ${hostname}, port ${port}: ${
        describeError(error)
      }.`;
  }
}
