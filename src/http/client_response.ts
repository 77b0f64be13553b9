/** The response to a client: what an upstream's answer becomes, and how it is made. */
import type { ResponseBody } from "../upstream/types.ts";

/** An upstream's answer with the fields that the client gets. */
export interface RelayedResponse {
  readonly status: number;
  readonly fields: [string, string][];
  readonly body: ResponseBody;
}

/** Statuses whose responses have no body (RFC 9110 sections 15.3.5, 15.3.6, 15.4.5): Response refuses one. */
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304]);

/**
 * The fields that go with {@linkcode bodyFor}: a 205 whose length is not 0 is malformed without its body over HTTP/2
 * (RFC 9113 section 8.1.1); a 204 has no length, and that of a 304 is the selected representation's.
 */
export function fieldsFor(
  { status, fields }: RelayedResponse,
): [string, string][] {
  return status === 205
    ? fields.filter(([name]) => name.toLowerCase() !== "content-length")
    : fields;
}

/** The body that the client gets of an answer to a request with `method`; one that it does not get is let go. */
export function bodyFor(
  method: string,
  { status, fields, body }: RelayedResponse,
): ResponseBody {
  if (BODILESS.has(status)) {
    discard(body);
    return null;
  }
  // Without a body the front would say that a GET has none.
  return method === "HEAD" && !hasLength(fields) ? new Blob([]).stream() : body;
}

/** Lets go of a body that nobody will read. */
export function discard(body: ResponseBody): void {
  if (body instanceof ReadableStream) body.cancel().catch(() => {});
}

/** A response; fields that are appended take half the time of those that it is constructed with. */
export function responseOf(
  body: BodyInit | null,
  status: number,
  fields: readonly [string, string][],
): Response {
  const response = new Response(body, { status });
  const { headers } = response;
  for (const [name, value] of fields) headers.append(name, value);
  return response;
}

function hasLength(fields: readonly [string, string][]): boolean {
  return fields.some(([name]) => name.toLowerCase() === "content-length");
}
