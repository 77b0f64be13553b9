/** Content that is transformed on its way (RFC 9110 section 7.7): whether it may be, and what its headers say no more. */
import {
  hasHeader,
  type Header,
  type HeaderList,
  valuesOf,
} from "./headers.ts";

/** True if content is as it is, without a coding, and lets others transform it (RFC 9111 section 5.2.2.6). */
export function mayBeTransformed(headers: HeaderList): boolean {
  const directives = valuesOf(headers, "cache-control").join();
  return !hasHeader(headers, "content-encoding") &&
    !/(?:^|,)\s*no-transform\s*(?:,|$)/i.test(directives);
}

/** Headers that are true of the sent bytes only. */
const OF_BYTES =
  /^(?:accept-ranges|content-digest|content-length|content-md5|digest|repr-digest)$/i;

/** The headers that are true of other bytes, too. */
export function withoutByteHeaders(headers: HeaderList): Header[] {
  return headers.filter(([name]) => !OF_BYTES.test(name));
}
