/** For each alert, series at which it fires after {@linkcode MINUTES} minutes, and others at which it does not. */

/** Values by series, one each minute, in the notation of `promtool test rules`; job and instance are added. */
type Series = Readonly<Record<string, string>>;

/** A case of an alert. */
export interface AlertCase {
  readonly fires: Series;
  /** What resembles that, and is none of it. */
  readonly isQuiet: Series;
  /** The same share as where it fires, of so little that it says nothing: then it does not. */
  readonly isRare?: Series;
  /** The labels of the alert beyond those of its rule, its job and its instance. */
  readonly firing?: Readonly<Record<string, string | undefined>>;
}

/** The length of a case. */
export const MINUTES = 75;

const DAY_SEC = 24 * 3600;

/** A value that is always the same. */
function constant(value: number): string {
  return `${value}+0x${MINUTES}`;
}

/** A counter that grows by so much every minute. */
function counting(perMinute: number): string {
  return `0+${perMinute}x${MINUTES}`;
}

/** A counter that stood still, and has just grown. */
function justGrown(by: number): string {
  return `0+0x${MINUTES - 3} ${by}+0x3`;
}

/** A counter that grew by one some time before the end, long enough for a rule to have waited for it. */
const ONCE = `0+0x${MINUTES - 12} 1+0x11`;

function responses(
  source: string,
  perMinute: number,
  draining = 0,
): Series {
  return {
    'porthole_errors_total{code="draining"}': counting(draining),
    'porthole_http_responses_total{source="app",status="2xx"}': counting(980),
    [`porthole_http_responses_total{source="${source}",status="5xx"}`]:
      counting(perMinute),
  };
}

/** The cases by the names of the alerts. */
export const ALERT_CASES: Readonly<Record<string, AlertCase>> = {
  PortholeDown: {
    fires: { up: constant(0) },
    isQuiet: { up: constant(1) },
  },
  PortholeMissing: {
    fires: { porthole_tunnels_open: constant(1) },
    isQuiet: { up: constant(0) },
    firing: { instance: undefined },
  },
  PortholeCheckFailing: {
    fires: { 'porthole_check_passing{check="api"}': constant(0) },
    isQuiet: { 'porthole_check_passing{check="api"}': constant(1) },
    firing: { check: "api" },
  },
  PortholeRecordsLost: {
    fires: { porthole_records_lost: constant(1) },
    isQuiet: { porthole_records_lost: constant(0) },
  },
  PortholeFailing: {
    fires: responses("gateway", 20),
    isQuiet: {
      ...responses("app", 500),
      ...responses("sandbox", 500),
      ...responses("gateway", 500, 500), // it stops
    },
    isRare: {
      'porthole_errors_total{code="draining"}': counting(0),
      'porthole_http_responses_total{source="gateway",status="5xx"}': counting(
        0.5,
      ),
    },
  },
  PortholeBug: {
    fires: { 'porthole_errors_total{code="internal"}': justGrown(1) },
    isQuiet: {
      'porthole_errors_total{code="internal"}': constant(1),
      'porthole_errors_total{code="port_closed"}': counting(100),
    },
    firing: { code: "internal" },
  },
  PortholeApiFailing: {
    fires: apiCalls(10),
    isQuiet: apiCalls(4),
    isRare: {
      'porthole_api_calls_total{operation="getSandbox",outcome="failed"}':
        counting(0.5),
    },
  },
  PortholeStoreFailing: {
    fires: {
      ...storeOperations("read", 0, 1000),
      ...storeOperations("write", 2, 10),
    },
    isQuiet: {
      ...storeOperations("read", 0, 1000),
      ...storeOperations("write", 2, 100),
    },
    isRare: storeOperations("write", 0.5, 0.5),
    firing: { operation: "write" },
  },
  PortholeRecordsUnreadable: {
    fires: { porthole_records_unreadable: constant(1) },
    isQuiet: { porthole_records_unreadable: constant(0) },
  },
  PortholeSlowToResolve: {
    fires: resolutions(90),
    isQuiet: resolutions(99),
    isRare: resolutions(0.9, 1),
  },
  PortholeLoginsFail: {
    fires: {
      'porthole_logins_total{outcome="login_unavailable"}': counting(3),
      'porthole_logins_total{outcome="ok"}': counting(1),
    },
    isQuiet: {
      'porthole_logins_total{outcome="login_denied"}': counting(3),
      'porthole_logins_total{outcome="ok"}': counting(1),
    },
    isRare: { 'porthole_logins_total{outcome="login_failed"}': ONCE },
  },
  PortholeActivityNotReported: {
    fires: reports(20),
    isQuiet: reports(5),
    isRare: {
      'porthole_activity_reports_total{outcome="failed"}': counting(0.3),
    },
  },
  PortholeNearLimit: {
    fires: {
      porthole_tunnels_open: constant(81),
      'porthole_limit{limit="tunnels"}': constant(100),
      porthole_buffered_bytes: constant(5),
      'porthole_limit{limit="buffered_bytes"}': constant(100),
    },
    isQuiet: {
      porthole_tunnels_open: constant(79),
      'porthole_limit{limit="tunnels"}': constant(100),
      porthole_http_requests_in_flight: constant(90),
      'porthole_limit{limit="exchanges"}': constant(10_000),
    },
    firing: { limit: "MAX_TUNNELS" },
  },
  PortholeLargestUser: {
    fires: {
      'porthole_limit_used{limit="waiting_per_runner"}': constant(51),
      'porthole_limit{limit="waiting_per_runner"}': constant(100),
    },
    isQuiet: {
      'porthole_limit_used{limit="waiting_per_runner"}': constant(50),
      'porthole_limit{limit="waiting_per_runner"}': constant(100),
      'porthole_limit_used{limit="exchanges_per_client"}': constant(51),
      'porthole_limit{limit="exchanges_per_client"}': constant(1000),
    },
    firing: { limit: "waiting_per_runner" },
  },
  PortholeRunnerUnresponsive: {
    fires: { porthole_runners_unresponsive: constant(1) },
    isQuiet: { porthole_runners_unresponsive: constant(0) },
  },
  PortholeOutOfBuffers: {
    fires: { 'porthole_buffer_evictions_total{kind="upload"}': counting(2) },
    isQuiet: { 'porthole_buffer_evictions_total{kind="upload"}': constant(50) },
  },
  PortholeOutOfDescriptors: {
    fires: { porthole_descriptors_short: constant(1) },
    isQuiet: { porthole_descriptors_short: constant(0) },
  },
  PortholeSocketsLost: {
    fires: { porthole_sockets_lost_total: constant(301) },
    isQuiet: { porthole_sockets_lost_total: constant(300) },
  },
  PortholeLogDropped: {
    fires: { porthole_log_lines_dropped_total: justGrown(5) },
    isQuiet: { porthole_log_lines_dropped_total: constant(5) },
  },
  PortholeRestarts: {
    fires: { process_start_time_seconds: counting(60) },
    isQuiet: { process_start_time_seconds: constant(60) },
  },
  PortholeCertificateExpires: {
    fires: expiry(6 * DAY_SEC),
    isQuiet: expiry(8 * DAY_SEC),
  },
  PortholeCertificateExpiresToday: {
    fires: expiry(DAY_SEC / 2),
    isQuiet: expiry(2 * DAY_SEC),
  },
};

function apiCalls(failed: number): Series {
  const name = "porthole_api_calls_total";
  return {
    [`${name}{operation="getSandbox",outcome="ok"}`]: counting(100 - failed),
    [`${name}{operation="getSandbox",outcome="failed"}`]: counting(failed),
  };
}

/** So many operations a minute, of which some fail. */
function storeOperations(operation: string, failed: number, all: number) {
  const name = `porthole_store_operations_total{operation="${operation}"`;
  return {
    [`${name},outcome="ok"}`]: counting(all - failed),
    [`${name},outcome="failed"}`]: counting(failed),
  };
}

/** Of so many resolutions a minute, those that took up to a second. */
function resolutions(fast: number, all = 100): Series {
  const name = "porthole_resolution_duration_seconds_bucket";
  return {
    [`${name}{le="1"}`]: counting(fast),
    [`${name}{le="2.5"}`]: counting(all),
    [`${name}{le="+Inf"}`]: counting(all),
  };
}

function reports(failed: number): Series {
  const name = "porthole_activity_reports_total";
  return {
    [`${name}{outcome="reported"}`]: counting(100 - failed),
    [`${name}{outcome="failed"}`]: counting(failed),
  };
}

/** A certificate that expires so long after the case ends; promtool's clock begins at 0. */
function expiry(afterSec: number): Series {
  const name = "porthole_certificate_expiry_timestamp_seconds";
  return { [name]: constant(MINUTES * 60 + afterSec) };
}
