/** Which responses are static, and what their headers say once they are coded. */
import {
  hasHeader,
  type Header,
  type HeaderList,
  isName,
  valuesOf,
} from "../../http/headers.ts";
import {
  mayBeTransformed,
  withoutByteHeaders,
} from "../../http/transformed_content.ts";
import type { UpstreamResponse } from "../../upstream/http1/message.ts";

/** What is shorter is one packet of a network in any case, bytes. */
const MIN_BYTES = 1024;

/** Scripts, styles, and data of theirs. Not HTML, which shows to a visitor what is theirs, nor what is a stream of lines. */
const STATIC_TYPE =
  /^\s*(?:text\/(?:css|javascript)|application\/(?:(?:x-)?javascript|json|manifest\+json|wasm)|image\/svg\+xml)\s*(?:;|$)/i;

/** What is a part, or is for one visitor. */
const EXCLUDING = ["content-range", "set-cookie"];

/** True for a whole response that is as good as static and long, and may be changed. */
export function isStatic({ status, headers }: UpstreamResponse): boolean {
  const of = (name: string) => valuesOf(headers, name).join();
  const length = of("content-length");
  return status === 200 && STATIC_TYPE.test(of("content-type")) &&
    (length === "" || Number(length) >= MIN_BYTES) &&
    !EXCLUDING.some((name) => hasHeader(headers, name)) &&
    mayBeTransformed(headers) &&
    !/(?:^|,)\s*(?:cookie|authorization|\*)\s*(?:,|$)/i.test(of("vary"));
}

/** The headers, which say that the response depends on Accept-Encoding (RFC 9110 section 12.5.5). */
export function withVary(headers: HeaderList): HeaderList {
  const vary = valuesOf(headers, "vary").join();
  return /(?:^|,)\s*(?:accept-encoding|\*)\s*(?:,|$)/i.test(vary)
    ? headers
    : [...headers, ["vary", "Accept-Encoding"]];
}

/** The headers of the same content, coded, but for Content-Encoding. */
export function codedHeaders(headers: HeaderList): HeaderList {
  return withoutByteHeaders(withVary(headers))
    .map((
      [name, value],
    ): Header => [name, isName(name, "etag") ? codedTag(value) : value]);
}

/** The headers of a 304, which may validate what a client has coded, if it asked for that (RFC 9110 section 15.4.5). */
export function validatedHeaders(
  headers: HeaderList,
  asked: string | null,
): HeaderList {
  const [tag = ""] = valuesOf(headers, "etag");
  const coded = codedTag(tag);
  return coded !== tag && asked?.includes(coded)
    ? codedHeaders(headers)
    : headers;
}

/**
 * The tag of coded content that an app has under a strong one: weak, since the bytes differ (RFC 9110 section 8.8.1), and
 * told from an app's own, as `W/"a~coded"`. A weak one stays.
 */
function codedTag(tag: string): string {
  return tag.replace(/^"([^"]*)"$/, 'W/"$1~coded"');
}

/**
 * The tags in a conditional request as the app knows them: many compare them letter by letter, and If-Match takes no weak
 * one (RFC 9110 section 13.1.1).
 */
export function appTags(tags: string): string {
  return tags.replaceAll(/W\/("[^"]*)~coded"/g, '$1"');
}
