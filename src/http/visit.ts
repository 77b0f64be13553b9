/**
 * Tells a visit, by which somebody means to see a preview, from everything else that asks for its address. A visit may
 * start a sandbox, so whatever does not say clearly what it is, is none: then there is still the button.
 */
import { isAheadOfTime } from "./fetch_metadata.ts";
import type { RequestHeaders } from "./headers.ts";

/** Programs that say what they are: crawlers, what unfurls links, browsers that a program drives. */
const PROGRAM =
  /bot|crawl|spider|slurp|preview|headless|externalhit|whatsapp|scan|monitor|inspect|fetch|https?:\/\//i;

interface VisitSource {
  readonly method: string;
  readonly headers: RequestHeaders;
}

/** True if a page of ours that answers the request is going to be seen: it is no prefetch, no data, no form. */
export function isShown({ method, headers }: VisitSource): boolean {
  return method === "GET" && !isAheadOfTime(headers);
}

/**
 * True if a person has just opened the address in a window, by typing it or by a click; such a request has no Origin. A
 * page can open itself or a window without a click (Sec-Fetch-User), which is no wish of the visitor's; nor is the reload of
 * a page of ours that waits. Safari does not say whether there was a click; over plain http, browsers say nothing at all.
 */
export function isVisit(source: VisitSource): boolean {
  const { headers } = source;
  const site = headers.get("sec-fetch-site");
  const agent = headers.get("user-agent") ?? "";
  return isShown(source) && !headers.has("origin") &&
    headers.get("sec-fetch-mode") === "navigate" &&
    headers.get("sec-fetch-dest") === "document" &&
    (site === "none" || headers.get("sec-fetch-user") === "?1") &&
    agent !== "" && !PROGRAM.test(agent);
}
