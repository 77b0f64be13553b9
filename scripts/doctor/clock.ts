import type { Answer } from "./ask.ts";
import { type Finding, findingsOf } from "./finding.ts";

const { ok, warning, failed, skipped } = findingsOf("clock");

/** From here on sessions end early or late by what somebody can notice, ms. */
const NOTICEABLE_MS = 5_000;

/** From here on tokens are refused that are good, or the other way round, ms. */
const HARMFUL_MS = 60_000;

/** Compares our clock with the API's, by the Date field (RFC 9110 section 6.6.1) of an answer. */
export function judgeClock({ headers, at }: Answer): Finding {
  const date = Date.parse(headers.get("date") ?? "");
  if (Number.isNaN(date)) {
    return skipped("The API's answers carry no date to compare with.");
  }
  // The field has whole seconds, cut off: on average it is half a second old.
  const aheadMs = at - (date + 500);
  const text = `This machine's clock is ${
    Math.round(Math.abs(aheadMs) / 1000)
  } s ${aheadMs > 0 ? "ahead of" : "behind"} the API's.`;
  const hint = "Let both machines follow a time server (NTP).";
  if (Math.abs(aheadMs) > HARMFUL_MS) return failed(text, hint);
  if (Math.abs(aheadMs) > NOTICEABLE_MS) return warning(text, hint);
  return ok("This machine's clock and the API's agree.");
}
