/** How large the head of a request may be, whoever sends it: looked at before anything is done for it. */
import type { Config } from "../config.ts";
import { GatewayError } from "../errors.ts";
import type { Exchange } from "./exchange.ts";

/** The bounds. */
export interface HeadLimits {
  /** Octets of the request-target. */
  readonly target: number;
  readonly fields: number;
  /** Octets of names and values. */
  readonly bytes: number;
}

/** The bounds that the configuration sets. */
export function headLimits(limits: Config["limits"]): HeadLimits {
  return {
    target: limits.targetBytes,
    fields: limits.headerFields,
    bytes: limits.headerBytes,
  };
}

/** @throws {GatewayError} `target_too_long` or `head_too_large` (RFC 9110 section 15.5.15, RFC 6585 section 5) */
export function checkHead(
  { target, headers }: Pick<Exchange, "target" | "headers">,
  limits: HeadLimits,
): void {
  // The front lets nothing but ASCII through in a target, and Latin-1 in a field: characters are octets.
  if (target.length > limits.target) {
    throw new GatewayError("target_too_long", `${target.length} octets`);
  }
  let fields = 0;
  let bytes = 0;
  for (const [name, value] of headers) {
    fields++;
    bytes += name.length + value.length;
  }
  if (fields > limits.fields || bytes > limits.bytes) {
    throw new GatewayError(
      "head_too_large",
      `${fields} fields, ${bytes} octets`,
    );
  }
}
