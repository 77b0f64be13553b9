/**
 * Tells a runner's own refusals from an app's answers. The runner speaks for itself in JSON that names its own path,
 * and its hops report a closed port as a 502 with nothing in it; everything else is the app's and passes unchanged.
 */
/** How a runner refuses, in the gateway's words, and what the log says of it. */
export const REFUSALS = {
  container_not_found: "the runner does not have the sandbox (its 404)",
  runner_refused: "the runner does not accept the gateway's key (its 401)",
  sandbox_stopped: "the sandbox is not running (the runner's 400)",
} as const;

type Field = readonly [name: string, value: string];

/** The parts of a response that tell whose it is. */
export interface SuspectResponse {
  readonly status: number;
  readonly headers: readonly Field[];
}

/** Longer bodies are never a runner's refusal, octets. */
const MAX_REFUSAL_BYTES = 4096;

function valueOf(
  headers: readonly Field[],
  name: string,
): string | undefined {
  return headers.find(([key]) => key.toLowerCase() === name)?.[1];
}

/** Fields that a Go server adds to an empty answer by itself. */
const BARE_FIELDS: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "date",
  "keep-alive",
]);

/** Whether the answer is the empty 502 of a hop that found nothing where it should have led. */
export function isEmptyBadGateway(response: SuspectResponse): boolean {
  return response.status === 502 &&
    valueOf(response.headers, "content-length") === "0" &&
    response.headers.every(([name]) => BARE_FIELDS.has(name.toLowerCase()));
}

/** Whether a runner, or a hop behind it, refuses with that status: an app's answer otherwise. */
export function isRefusalStatus(status: number): boolean {
  return status === 400 || status === 401 || status === 404 || status === 502;
}

/** Whether the body must be read to know: a small JSON body with one of the statuses that a runner refuses with. */
export function mayBeRefusal(response: SuspectResponse): boolean {
  const { status, headers } = response;
  if (status === 502 || !isRefusalStatus(status)) return false;
  const length = Number(valueOf(headers, "content-length") ?? NaN);
  return length > 0 && length <= MAX_REFUSAL_BYTES &&
    /^application\/json\b/i.test(valueOf(headers, "content-type") ?? "");
}

/** A refusal by the runner itself, in the gateway's words; undefined where the body is an app's. */
export function refusalOf(
  status: number,
  body: string,
  sandboxId: string,
): keyof typeof REFUSALS | undefined {
  let refusal: Record<string, unknown>;
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed !== "object" || parsed === null) return undefined;
    refusal = { ...parsed };
  } catch {
    return undefined;
  }
  const { path, message, statusCode } = refusal;
  if (
    statusCode !== status || typeof message !== "string" ||
    typeof path !== "string" || !path.startsWith(`/sandboxes/${sandboxId}/`)
  ) return undefined;
  if (status === 404) {
    return /container not found/i.test(message)
      ? "container_not_found"
      : undefined;
  }
  if (status === 401) return "runner_refused";
  return /is the sandbox started/i.test(message)
    ? "sandbox_stopped"
    : undefined;
}
