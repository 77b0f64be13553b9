/** How a process ends: its exit code, and a line for whoever started it. */
import { describeError } from "../lib/describe_error.ts";
import type { ListenAddress } from "./http_server.ts";

/** How a run ended. */
export interface Outcome {
  /** One of {@linkcode EXIT_CODES}. */
  readonly code: number;
  /** One line that says why it failed; absent where it did not. */
  readonly reason?: string;
}

/** Every exit code; those of a forced end are a shell's: 128 and the signal's number. */
export const EXIT_CODES = {
  stopped: 0,
  failed: 1,
  misconfigured: 2,
  SIGINT: 130,
  SIGTERM: 143,
} as const;

/** Why an address cannot be listened on, in one line. */
export function explainListenError(
  error: unknown,
  { hostname, port }: ListenAddress,
): string {
  switch (error instanceof Error && "code" in error ? error.code : undefined) {
    case "EADDRINUSE":
      return `Port ${port} is taken: set PROXY_PORT.`;
    case "EADDRNOTAVAIL":
      return `${hostname} is no address of this machine: set PROXY_HOST.`;
    case "EACCES":
      return `This user may not listen on port ${port}: set PROXY_PORT to one above 1023.`;
    default:
      return `Cannot listen on ${hostname}, port ${port}: ${
        describeError(error)
      }.`;
  }
}
