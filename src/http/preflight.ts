/** Our own answer to a CORS preflight. */
import {
  type CorsDecision,
  preflightFields,
  preflightOf,
} from "../proxy/cors.ts";
import type { Exchange } from "./exchange.ts";
import { OWN_ANSWER_FIELDS } from "./problem.ts";

/** Whether an exchange is a preflight that is not left to the app. */
export function isPreflight(
  { method, headers }: Pick<Exchange, "method" | "headers">,
  cors: CorsDecision,
): boolean {
  return cors.kind === "on" && preflightOf(method, headers) !== undefined;
}

/** The answer to a preflight, as cors.ts decides it. */
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
