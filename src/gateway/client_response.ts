/** The response to a client, as made from an upstream's. */
import { hasHeader, type HeaderList } from "../lib/headers.ts";
import { UNKNOWN_LENGTH } from "../platform/unknown_length.ts";
import { discardBody, type ResponseBody } from "../upstream/http1/message.ts";

/** An upstream's response with the fields that the client gets. */
export interface RelayedResponse {
  readonly status: number;
  readonly fields: [string, string][];
  readonly body: ResponseBody;
}

/**
 * Statuses of responses without a body (RFC 9110 sections 15.3.5, 15.3.6, 15.4.5), with which Response accepts none.
 */
const NULL_BODY_STATUSES: ReadonlySet<number> = new Set([204, 205, 304]);

/**
 * The fields that go with {@linkcode clientBody}. Over HTTP/2, a 205 without its body is malformed if it announces a
 * length other than 0 (RFC 9113 section 8.1.1); a 204 has no length, and a 304 may have the selected representation's.
 */
export function clientFields(
  { status, fields }: RelayedResponse,
): [string, string][] {
  return status === 205
    ? fields.filter(([name]) => name.toLowerCase() !== "content-length")
    : fields;
}

/** The body that the client gets in response to a request with `method`; one that it does not get is discarded. */
export function clientBody(
  method: string,
  { status, fields, body }: RelayedResponse,
): ResponseBody {
  if (NULL_BODY_STATUSES.has(status)) {
    discardBody(body);
    return null;
  }
  return method === "HEAD" && !hasHeader(fields, "content-length")
    ? UNKNOWN_LENGTH
    : body;
}

/** Creates a response. Appending its fields takes half the time of passing them to the constructor. */
export function createResponse(
  body: BodyInit | null,
  status: number,
  fields: HeaderList,
): Response {
  const response = new Response(body, { status });
  const { headers } = response;
  for (const [name, value] of fields) headers.append(name, value);
  return response;
}
