/**
 * Finds responses in which an app refuses a host or an origin (see app_origin.ts). They pass as they are, and are
 * counted: so the operator of a gateway sees that an app needs a line of its own, or a label.
 */
import { hasHeader, type HeaderList, valuesOf } from "../http/headers.ts";
import type { UpstreamResponse } from "../upstream/http1/message.ts";

/** Bytes of a response that are looked at: Django explains itself behind the style sheet of its page. */
const BEGINNING_BYTES = 4096;

/** What webpack, Vite, Rails, Django, SvelteKit, Astro and Socket.IO for Python write into such refusals. */
const REFUSAL =
  /Invalid Host(?:\/Origin)? header|Blocked request\. This host|Blocked hosts?:|Invalid HTTP_HOST header|Origin checking failed|Cross-site (?:POST )?form submissions are forbidden|not an accepted origin/i;

/** A response as it is; `onRefusal` is called if it says, at its beginning, that the app dislikes an address. */
export function watchOriginRefusal(
  response: UpstreamResponse,
  onRefusal: () => void,
): UpstreamResponse {
  const { status, headers, body } = response;
  if (status !== 400 && status !== 403) return response;
  if (body === null || !isReadable(headers)) return response;
  const look = (bytes: Uint8Array) => {
    const beginning = bytes.subarray(0, BEGINNING_BYTES);
    if (REFUSAL.test(new TextDecoder().decode(beginning))) onRefusal();
  };
  if (body instanceof Uint8Array) {
    look(body);
    return response;
  }
  let isFirst = true;
  return {
    ...response,
    body: {
      async read() {
        const chunk = await body.read();
        if (isFirst && chunk !== null) look(chunk);
        isFirst = false;
        return chunk;
      },
      cancel: () => body.cancel(),
    },
  };
}

/** True for text, which webpack-dev-server does not even declare. */
function isReadable(headers: HeaderList): boolean {
  const [type = "text/plain"] = valuesOf(headers, "content-type");
  return /^text\/(?:html|plain)\b/i.test(type) &&
    !hasHeader(headers, "content-encoding");
}
