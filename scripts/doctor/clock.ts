import type { Answer } from "./ask.ts";
import { type Finding, findingsOf } from "./finding.ts";

const { ok, warning, failed, skipped } = findingsOf("clock");

/** Beyond this, sessions end noticeably early or late, ms. */
const NOTICEABLE_MS = 5_000;

/** Beyond this, valid tokens are refused or expired ones accepted, ms. */
const HARMFUL_MS = 60_000;

/** Compares our clock with the API's, by the Date field (RFC 9110 section 6.6.1) of a response. */
export function judgeClock({ headers, at }: Answer): Finding {
  const date = Date.parse(headers.get("date") ?? "");
  if (Number.isNaN(date)) {
    return skipped("The API's responses have no Date to compare with.");
  }
  // The field is truncated to whole seconds: on average, it is half a second old.
  const aheadMs = at - (date + 500);
  const text = `This machine's clock is ${
    Math.round(Math.abs(aheadMs) / 1000)
  } s ${aheadMs > 0 ? "ahead of" : "behind"} the API's.`;
  const hint = "Synchronize both machines with a time server (NTP).";
  if (Math.abs(aheadMs) > HARMFUL_MS) return failed(text, hint);
  if (Math.abs(aheadMs) > NOTICEABLE_MS) return warning(text, hint);
  return ok("This machine's clock and the API's agree.");
}
