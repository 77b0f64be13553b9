/** CORS preflights, and our own answer to them (see cors.ts). */
import { OWN_ANSWER_FIELDS } from "../pages/problem.ts";
import {
  type CorsDecision,
  preflightFields,
  preflightOf,
} from "../proxy/cors.ts";
import type { Exchange } from "./exchange.ts";

/** Whether a request is a preflight that we may answer. */
export function isPreflight(
  { method, headers }: Pick<Exchange, "method" | "headers">,
  cors: CorsDecision,
): boolean {
  return cors.kind === "on" && preflightOf(method, headers) !== undefined;
}

/**
 * Our answer to a preflight.
 *
 * @throws {TypeError} if it is none
 */
export function preflightAnswer(
  { method, headers }: Pick<Exchange, "method" | "headers">,
  cors: CorsDecision,
): Response {
  const preflight = preflightOf(method, headers);
  if (preflight === undefined) throw new TypeError("Not a preflight");
  return new Response(null, {
    status: 204,
    headers: [
      ...Object.entries(OWN_ANSWER_FIELDS),
      ...preflightFields(preflight, cors),
    ],
  });
}
