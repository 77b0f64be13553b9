/** What the API's answer to a start means. */

/** `under_way` if somebody has begun it already; a `reason` is in the API's own words. */
export type StartAnswer =
  | { readonly kind: "started" }
  | { readonly kind: "under_way" }
  | { readonly kind: "not_allowed"; readonly reason: string }
  | { readonly kind: "refused"; readonly reason: string };

/** Longest reason that is kept, characters. */
const MAX_REASON_LENGTH = 500;

/** The texts of a 403 that is about the credential, and not about the organization. */
const FORBIDDEN = /^(Access denied|Invalid authentication context|Forbidden)/;

/**
 * Reads the answer. The API has no codes: 403 may say that the organization is suspended, and 400 is a quota as well as a
 * failure.
 *
 * @example
 * ```ts
 * startAnswerOf(409, { message: "Sandbox state change in progress" }); // { kind: "under_way" }
 * startAnswerOf(403, { message: "Access denied" }); // { kind: "not_allowed", … }
 * ```
 */
export function startAnswerOf(status: number, body: unknown): StartAnswer {
  if (status === 200 || status === 201) return { kind: "started" };
  if (status === 409) return { kind: "under_way" };
  const { message } = Object(body);
  const reason = typeof message === "string" && message !== ""
    ? message.slice(0, MAX_REASON_LENGTH)
    : `status ${status}`;
  const isAboutUser = status === 401 || status === 404 ||
    status === 403 && (typeof message !== "string" || FORBIDDEN.test(message));
  return { kind: isAboutUser ? "not_allowed" : "refused", reason };
}
