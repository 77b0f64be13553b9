/** `/report` on base hosts: whoever sees a preview abused tells the operator, by a webhook. */
import { type OpenAPIHono, z } from "@hono/zod-openapi";
import form from "../../../gen/text/features/abuse/report_page.html.ts";
import { loggedLabel } from "../../address/grammar.ts";
import { previewOrigin } from "../../address/preview_host.ts";
import { checked, invalid } from "../../control/api/json_body.ts";
import {
  checkBase,
  type ControlEnv,
  ownOrigin,
  PAGE,
  refusal,
  type RouteConfig,
} from "../../control/route.ts";
import { GatewayError } from "../../errors.ts";
import type { FeatureParts } from "../../gateway/feature_module.ts";
import { isSameOriginRequest } from "../../http/fetch_metadata.ts";
import { clientKey } from "../../lib/client_key.ts";
import { TokenBuckets } from "../../lib/token_bucket.ts";
import { page, PAGE_POLICY } from "../../pages/page.ts";
import { OWN_ANSWER_HEADERS } from "../../pages/problem.ts";

/** Longest form, bytes, and longest wait for the webhook, ms. */
const MAX_BYTES = 16 * 1024;
const DEADLINE_MS = 10_000;

const ASKED = z.object({
  url: z.string().max(2000),
  reason: z.string().min(1).max(2000),
  contact: z.string().max(200).default(""),
});

const PATH = "/report";

/** The description of the route; that of its page says nothing more. */
export const REPORT_ROUTE: RouteConfig = {
  method: "post",
  path: PATH,
  summary: "Report a preview to the operator",
  description:
    "By the form that GET shows, or a program. Only with `REPORT_WEBHOOK_URL`.",
  request: {
    body: {
      content: { "application/x-www-form-urlencoded": { schema: ASKED } },
    },
  },
  responses: {
    200: { description: "Passed on.", content: PAGE },
    400: refusal("That is no preview’s address, or a field is missing."),
    403: refusal("The form came from another site."),
    429: refusal("Too many reports."),
    503: refusal("The operator’s webhook does not take it."),
  },
};

const HEADERS = {
  ...OWN_ANSWER_HEADERS,
  // With no-referrer a browser would send the form with `Origin: null`.
  "referrer-policy": "same-origin",
  "content-security-policy": `${PAGE_POLICY}; frame-ancestors 'none'`,
};

type ReportParts = Pick<
  FeatureParts,
  "scheme" | "parseHost" | "now" | "secretFetch"
>;

/** Adds the route and its page, without their descriptions. */
export function addReportRoutes(
  app: OpenAPIHono<ControlEnv>,
  webhook: string,
  { scheme, parseHost, now, secretFetch }: ReportParts,
): void {
  const common = { maxKeys: 10_000, now };
  const ofClient = { ...common, capacity: 5, refillPerSec: 5 / 3600 };
  const byClient = new TokenBuckets(ofClient);
  const all = new TokenBuckets({ ...common, capacity: 60, refillPerSec: 1 });

  app.get(PATH, (c) => {
    checkBase(c.env);
    return c.html(page("Report a preview", form), 200, HEADERS);
  });
  app.post(PATH, async (c) => {
    checkBase(c.env);
    const { requestId, clientAddress, readForm } = c.env;
    const origin = ownOrigin(c.env, scheme);
    // Any page could have its visitors report something.
    if (isSameOriginRequest(c.req.raw.headers, origin) === false) {
      throw new GatewayError("cross_site_request", "A report from elsewhere");
    }
    const sent = new TextDecoder().decode(await readForm(MAX_BYTES));
    const fields = Object.fromEntries(new URLSearchParams(sent));
    const { url: address, reason, contact } = checked(fields, ASKED);
    const url = URL.parse(address);
    const parsed = parseHost(url?.host ?? "");
    if (url === null || parsed.kind !== "preview") {
      const message = "must be the address of a preview here";
      throw invalid([{ path: "/url", message }], "No preview of ours");
    }
    const { host, host: { port, name } } = parsed;
    const sandbox = loggedLabel(host.label);
    const room = all.check("");
    const taken = room.ok ? byClient.take(clientKey(clientAddress)) : room;
    if (!taken.ok) {
      const { retryAfterSec } = taken;
      const reason = "Reports of a client, or of all";
      throw new GatewayError("too_many_reports", reason, { retryAfterSec });
    }
    all.take("");
    // A query may have a token, and the host of a signed link is one.
    const shown = { ...host, label: sandbox ?? "redacted" };
    const report = {
      event: "preview.reported",
      url: previewOrigin(shown, scheme) + url.pathname,
      sandbox,
      port,
      name,
      reason,
      contact,
      requestId,
      reportedAt: new Date(now()).toISOString(),
    };
    await send(webhook, report, secretFetch);
    const thanks = "<h1>Thank you</h1>\n<p>The operator has your report.</p>";
    return c.html(page("Reported", thanks), 200, HEADERS);
  });
}

/** @throws {GatewayError} `report_unavailable` if the webhook does not take it; its URL is a secret, and an error would name it */
async function send(
  webhook: string,
  report: object,
  secretFetch: ReportParts["secretFetch"],
): Promise<void> {
  const post = async () =>
    await secretFetch(
      new Request(webhook, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(report),
        redirect: "error",
        signal: AbortSignal.timeout(DEADLINE_MS),
      }),
    );
  const response = await post().catch(({ name }: Error) => {
    throw new GatewayError("report_unavailable", `The webhook fails: ${name}`);
  });
  await response.body?.cancel();
  if (response.ok) return;
  const reason = `The webhook answers ${response.status}`;
  throw new GatewayError("report_unavailable", reason);
}
