/** The operator's page beside the metrics (`STATUS_PAGE`). */
import { flag } from "../../config/formats.ts";
import { inGroup, setting } from "../../config/read_settings.ts";
import { sectionOf, settingsSection } from "../../config/section.ts";
import type { FeatureModule } from "../../gateway/feature_module.ts";
import { hearLog } from "../../observability/log.ts";
import { StatusBoard } from "./board.ts";
import { Busiest, sandboxRows } from "./busiest.ts";
import { RecentTroubles } from "./recent_troubles.ts";
import { statusPage } from "./status_page.ts";

export const statusSettings = settingsSection({
  rows: inGroup("Observability", {
    STATUS_PAGE: setting(
      "Serves a status page at / of METRICS_PORT.",
      { format: flag, default: "true" },
    ),
  }),
  assemble: ({ STATUS_PAGE: isOn }) => ({ isOn }),
});

/** Rows on the page by each amount: requests, bytes and WebSockets; and of runners. */
const MAX_ROWS = 10;

/** `/` and `/events` on the metrics port. */
export const status: FeatureModule = {
  name: "status",
  settings: statusSettings,
  create({ config, inFlight, bulkheads, otherLimits, renderMetrics }) {
    const { isOn } = sectionOf(config, statusSettings);
    if (!isOn || config.metrics === undefined) return undefined;
    const { hostname } = config.metrics;
    const sandboxes = new Busiest(() => performance.now());
    const organizations = new Busiest(() => performance.now());
    const troubles = new RecentTroubles();
    const stopHearing = hearLog(troubles.sink);
    const board = new StatusBoard({
      render: renderMetrics,
      report: () => ({
        sandboxes: sandboxRows(
          sandboxes.top(MAX_ROWS),
          inFlight.sandboxesByTunnels(MAX_ROWS),
        ),
        organizations: organizations.top(MAX_ROWS),
        runners: bulkheads.mostWaiting(MAX_ROWS),
        limits: [...inFlight.limitsInUse(), ...otherLimits()],
        troubles: troubles.list(),
      }),
    });
    return {
      watch: {
        record(record) {
          sandboxes.record(record.sandboxId, record);
          organizations.record(record.organizationId, record);
        },
      },
      control: {
        metricsPages: {
          "/": (request) => refusal(request, hostname) ?? statusPage(),
          "/events": (request) =>
            refusal(request, hostname) ?? events(request, board),
        },
      },
      life: {
        close() {
          stopHearing();
          board.close();
        },
      },
    };
  },
};

function events({ method }: Request, board: StatusBoard): Response {
  const stream = method === "HEAD" ? null : board.watch();
  if (stream === undefined) {
    const headers = { "cache-control": "no-store", "retry-after": "10" };
    return new Response(null, { status: 503, headers });
  }
  const headers = {
    "cache-control": "no-store",
    "content-type": "text/event-stream",
    "x-content-type-options": "nosniff",
  };
  return new Response(stream, { headers });
}

/** Refuses what a page elsewhere may have made a browser ask for, whose name for us somebody else has made up. */
function refusal({ url }: Request, hostname: string): Response | undefined {
  const asked = new URL(url).hostname;
  if (asked === hostname || isPrivateName(asked)) return undefined;
  return new Response(
    "The status page is served under an IP address or a private name only, so that no page of the internet can read it.\n",
    { status: 421, headers: { "cache-control": "no-store" } },
  );
}

const IP_ADDRESS = /^(?:[0-9.]+|\[[0-9a-f:.]+\])$/;

/** Ends of names that the public DNS does not serve (RFC 6761, RFC 6762, RFC 8375, ICANN), or that Kubernetes makes up. */
const PRIVATE = /\.(?:localhost|local|internal|home\.arpa|svc|lan)$/;

/**
 * True for an IP address, a name without a dot, and one such as `porthole.monitoring.svc`. A page whose server has pointed
 * its own name at this machine (DNS rebinding) comes by that name.
 */
export function isPrivateName(hostname: string): boolean {
  return IP_ADDRESS.test(hostname) || !hostname.includes(".") ||
    PRIVATE.test(hostname);
}
