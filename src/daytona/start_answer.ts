/** What the API's answer to a start means. */
import type { ApiRefusal } from "./operation.ts";
import { numberIn } from "./quota.ts";

/** `under_way` if somebody has begun it already; a `reason` is in the API's own words. */
export type StartAnswer =
  | { readonly kind: "started" }
  | { readonly kind: "under_way" }
  /** The organization has started and stopped sandboxes too often. */
  | { readonly kind: "throttled"; readonly retryAfterSec: number }
  | { readonly kind: "not_allowed"; readonly reason: string }
  | { readonly kind: "refused"; readonly reason: string };

/** Longest reason that is kept, characters. */
const MAX_REASON_LENGTH = 500;

/** How long to wait where the API says that there is a limit, but not for how long, seconds. */
const PAUSE_SEC = 30;

const MAX_PAUSE_SEC = 3600;

/** The texts of a 403 that is about the credential, and not about the organization. */
const FORBIDDEN = /^(Access denied|Invalid authentication context|Forbidden)/;

/** Reads the answer. The API has no codes: 403 may be about a suspended organization, and 400 a quota or a failure. */
export function startAnswerOf(
  status: ApiRefusal["status"],
  body: unknown,
  headers = new Headers(),
): StartAnswer {
  if (typeof status !== "number") {
    return { kind: "not_allowed", reason: status };
  }
  if (status === 200 || status === 201) return { kind: "started" };
  if (status === 409) return { kind: "under_way" };
  // A 429 without that is about whoever asks: too many wrong keys from an address, for example.
  const name = "retry-after-sandbox-lifecycle";
  if (status === 429 && headers.has(name)) {
    const seconds = numberIn(headers, name) ?? PAUSE_SEC;
    const retryAfterSec = Math.min(Math.max(seconds, 1), MAX_PAUSE_SEC);
    return { kind: "throttled", retryAfterSec };
  }
  const { message } = Object(body);
  const reason = typeof message === "string" && message !== ""
    ? message.slice(0, MAX_REASON_LENGTH)
    : `status ${status}`;
  const isAboutUser = status === 401 || status === 404 ||
    status === 403 && (typeof message !== "string" || FORBIDDEN.test(message));
  return { kind: isAboutUser ? "not_allowed" : "refused", reason };
}
