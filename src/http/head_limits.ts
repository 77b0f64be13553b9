/** The limits for the head of a request, checked before anything else is done for it. */
import type { Config } from "../config.ts";
import { GatewayError } from "../errors.ts";
import type { Exchange } from "./exchange.ts";

/** Limits for the head of a request. */
export interface HeadLimits {
  /** Octets of the request-target. */
  readonly target: number;
  readonly fields: number;
  /** Octets of all field names and values. */
  readonly bytes: number;
}

/** The limits that the configuration sets. */
export function headLimits(limits: Config["limits"]): HeadLimits {
  return {
    target: limits.targetBytes,
    fields: limits.headerFields,
    bytes: limits.headerBytes,
  };
}

/**
 * Checks a request's head.
 *
 * @throws {GatewayError} `target_too_long` (RFC 9110 section 15.5.15) or `head_too_large` (RFC 6585 section 5)
 */
export function checkHead(
  { target, headers }: Pick<Exchange, "target" | "headers">,
  limits: HeadLimits,
): void {
  // `Deno.serve()` accepts only ASCII in a target and Latin-1 in a field, so a character is an octet.
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
