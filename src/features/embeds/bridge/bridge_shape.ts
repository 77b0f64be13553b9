/** Has the script in the pages that an app's frame loads, where both the operator and the embed say so. */
import script from "../../../../gen/text/features/embeds/bridge/bridge.js.ts";
import type { FrameTerms } from "../../../auth/grants.ts";
import type { Admission } from "../../../auth/verdict.ts";
import type { Shape } from "../../../gateway/feature.ts";
import type { PreviewExchange } from "../../../gateway/preview_route.ts";
import { isFramed, isNavigation } from "../../../http/fetch_metadata.ts";
import {
  type Header,
  type HeaderList,
  isName,
  valuesOf,
} from "../../../http/headers.ts";
import {
  mayBeTransformed,
  withoutByteHeaders,
} from "../../../http/transformed_content.ts";
import { escapeHtml } from "../../../pages/html.ts";
import { pageScript } from "../../../pages/script.ts";
import type { UpstreamResponse } from "../../../upstream/http1/message.ts";
import { withScript } from "./insert_script.ts";
import { withSource } from "./script_policy.ts";

/** Tells the origins that its element lists, and no other, what happens in the page: at most 50 messages a second. */
export const BRIDGE = pageScript(script);

/** The element with the script, in ASCII. It is not loaded from a URL, since not all browsers allow such a script by its hash. */
export function bridgeElement(
  { ancestors, bridge }: Pick<FrameTerms, "ancestors" | "bridge">,
): string {
  const kinds = Object.fromEntries(bridge.map((kind) => [kind, true]));
  const data = escapeHtml(JSON.stringify({ ...kinds, ancestors }));
  return `<script data-porthole="${data}">${BRIDGE.text}</script>`;
}

/** What is made of requests and pages where a grant has a bridge. */
export const BRIDGE_SHAPE: Required<Shape> = {
  request: (request, x, admission) =>
    bridgedTerms(x, admission) === undefined
      ? request
      : { ...request, asksPlain: true },
  response(response, x, admission) {
    const terms = bridgedTerms(x, admission);
    const { body } = response;
    if (terms === undefined || body === null || !mayBeChanged(response)) {
      return response;
    }
    const element = new TextEncoder().encode(bridgeElement(terms));
    return {
      status: response.status,
      headers: changedHeaders(response.headers),
      body: withScript(body, element),
    };
  },
};

/** The terms of the frame that a request loads a page into; undefined unless they have a bridge. */
function bridgedTerms(
  { received: { method, headers } }: PreviewExchange,
  { credential, grant }: Admission,
): FrameTerms | undefined {
  return method === "GET" && credential?.kind === "session" &&
      grant?.frame !== undefined && grant.frame.bridge.length > 0 &&
      isNavigation(method, headers) && isFramed(headers)
    ? grant.frame
    : undefined;
}

/** Encodings in which ASCII is not itself, by all of their names (Encoding Standard, section 4.2). */
const NOT_ASCII =
  /charset\W+(?:cs(?:iso2022|unicode)|hz-|iso-(?:10646|2022)|replacement|ucs-|unicode|utf-16)/i;

/** True for a whole page, as it is, that its app has shown and lets others transform. */
function mayBeChanged({ status, headers }: UpstreamResponse): boolean {
  const of = (name: string) => valuesOf(headers, name).join();
  const type = of("content-type");
  return status === 200 && /^\s*text\/html\s*(?:;|$)/i.test(type) &&
    !NOT_ASCII.test(type) && mayBeTransformed(headers) &&
    /^\s*(?:inline\b|$)/i.test(of("content-disposition"));
}

function changedHeaders(headers: HeaderList): HeaderList {
  const changed = withoutByteHeaders(headers)
    .map(([name, value]): Header =>
      isName(name, "etag") && !value.startsWith("W/")
        ? [name, `W/${value}`]
        : [name, value]
    );
  return withSource(changed, BRIDGE.source);
}
