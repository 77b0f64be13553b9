/** The bodies and parameters of requests to `/api/v1`: JSON, in the form that is described, and nothing else. */
import type { z } from "@hono/zod-openapi";
import { GatewayError, type RequestProblem } from "../../errors.ts";
import type { ApiRequest } from "./caller.ts";

/** Longest body, bytes, unless a route says otherwise. */
const MAX_BYTES = 16 * 1024;

/** Most problems that are told. */
const MAX_PROBLEMS = 20;

/** The body, by a schema; throws `unsupported_media_type`, and as {@linkcode checked} and {@linkcode ReadForm} do. */
export async function jsonBody<T>(
  { req: { raw: { headers } }, env }: ApiRequest,
  schema: z.ZodType<T>,
  maxBytes = MAX_BYTES,
): Promise<T> {
  const type = headers.get("content-type") ?? "";
  if (!/^application\/json\s*(?:;|$)/i.test(type)) {
    throw new GatewayError("unsupported_media_type", "No JSON by its type");
  }
  const bytes = await env.readForm(maxBytes);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw invalid([{ path: "", message: "is not JSON" }], "No JSON");
  }
  return checked(value, schema);
}

/** A value of the request, by a schema; throws `invalid_request`, which says what is wrong and repeats no value. */
export function checked<T>(value: unknown, schema: z.ZodType<T>): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issues = result.error.issues.slice(0, MAX_PROBLEMS);
  const problems = issues.flatMap(problemsOf).slice(0, MAX_PROBLEMS);
  // Names that the client has made up are not for a log.
  const reason = issues.map(({ path, code }) => `${pointer(path)}: ${code}`)
    .join("; ");
  throw invalid(problems, reason);
}

/** The refusal of a request with these problems; the reason is for the log. */
export function invalid(
  errors: readonly RequestProblem[],
  reason: string,
): GatewayError {
  return new GatewayError("invalid_request", reason, { advice: { errors } });
}

function problemsOf(issue: z.core.$ZodIssue): RequestProblem[] {
  if (issue.code !== "unrecognized_keys") {
    return [{ path: pointer(issue.path), message: issue.message }];
  }
  return issue.keys.map((key) => ({
    path: pointer([...issue.path, key]),
    message: "is not known",
  }));
}

/** A JSON Pointer (RFC 6901 section 3). */
function pointer(path: readonly PropertyKey[]): string {
  return path.map((step) =>
    `/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`
  ).join("");
}
