/** The limits for the head of a request, checked before anything else is done for it. */
import type { Config } from "../config/config.ts";
import { GatewayError } from "../errors.ts";
import type { Exchange } from "./exchange.ts";

/** The configured limits for the head of a request. */
export type RequestHeadLimits = Pick<
  Config["limits"],
  "targetBytes" | "headerBytes" | "headerFields"
>;

/**
 * Checks the head of a request to the data plane.
 *
 * @throws {GatewayError} `target_too_long` (RFC 9110 section 15.5.15) or `head_too_large` (RFC 6585 section 5)
 */
export function checkHead(head: Head, limits: RequestHeadLimits): void {
  check(head, [...head.headers], limits);
}

/**
 * Checks the head of a request for the gateway's own pages, where cookies do not count: a browser that has too many of
 * ours must still be able to log out of them.
 *
 * @throws {GatewayError} as {@linkcode checkHead}
 */
export function checkControlHead(head: Head, limits: RequestHeadLimits): void {
  const fields = [...head.headers].filter(([name]) => name !== "cookie");
  check(head, fields, limits);
}

type Head = Pick<Exchange, "target" | "headers">;

function check(
  { target }: Head,
  fields: readonly (readonly [string, string])[],
  limits: RequestHeadLimits,
): void {
  // `Deno.serve()` accepts only ASCII in a target and Latin-1 in a field, so a character is an octet.
  if (target.length > limits.targetBytes) {
    throw new GatewayError("target_too_long", `${target.length} octets`);
  }
  let bytes = 0;
  for (const [name, value] of fields) bytes += name.length + value.length;
  if (fields.length > limits.headerFields || bytes > limits.headerBytes) {
    throw new GatewayError(
      "head_too_large",
      `${fields.length} fields, ${bytes} octets`,
    );
  }
}
