/**
 * Tells a runner's own refusals from an app's answers. A runner refuses with JSON that names its own path, and a hop
 * behind it reports a closed port as an empty 502; everything else is the app's, and passes unchanged.
 */
import { valuesOf } from "../../http/headers.ts";
import { parseJson } from "../../lib/parse_json.ts";
import type { ResponseHead } from "../destination.ts";

/** The error codes for refusals by a runner or by a hop behind it, with the reason that is logged. */
export const REFUSALS = {
  container_not_found: "the runner does not have the sandbox (its 404)",
  runner_refused: "the runner does not accept the gateway's key (its 401)",
  sandbox_stopped: "the sandbox is not running (the runner's 400)",
  runner_unreachable: "Daytona's proxy failed (its own 500)",
  port_closed: "nothing listens on the port (the runner's empty 502)",
  toolbox_unreachable:
    "the daemon in the sandbox does not answer (the runner's empty 502)",
  app_refused_websocket:
    "the app answered the handshake with no valid response (the runner's empty 502)",
} as const;

export type RefusalCode = keyof typeof REFUSALS;

const MAX_REFUSAL_BYTES = 4096;

/** Headers that a Go server adds to an empty response by itself. */
const AUTOMATIC = ["connection", "content-length", "date", "keep-alive"];

/** True if a response is the empty 502 of a hop that could not reach the next one. */
export function isEmptyBadGateway(response: ResponseHead): boolean {
  return response.status === 502 &&
    valuesOf(response.headers, "content-length")[0] === "0" &&
    response.headers.every(([name]) => AUTOMATIC.includes(name.toLowerCase()));
}

/** True if a response with that status may be a refusal by a runner or by a hop behind it; any other is the app's. */
export function isRefusalStatus(status: number): boolean {
  return status === 400 || status === 401 || status === 404 || status === 502;
}

/** True if the body has to be read to tell: it is small, JSON, and has a status that may be a refusal's. */
export function mayBeRefusal(
  { status, headers }: ResponseHead,
  isStatus = isRefusalStatus,
): boolean {
  if (status === 502 || !isStatus(status)) return false;
  const length = Number(valuesOf(headers, "content-length")[0] ?? NaN);
  return length > 0 && length <= MAX_REFUSAL_BYTES &&
    /^application\/json\b/i.test(valuesOf(headers, "content-type")[0] ?? "");
}

/** The code for a refusal by the runner, about any sandbox without a `sandboxId`; undefined if the body is an app's. */
export function refusalOf(
  status: number,
  body: string,
  sandboxId: string | undefined,
): RefusalCode | undefined {
  const { path, message, statusCode } = membersOf(body);
  if (
    statusCode !== status || typeof message !== "string" ||
    typeof path !== "string" || !isPathOf(path, sandboxId)
  ) return undefined;
  if (status === 401) return "runner_refused";
  const [text, code] = status === 404
    ? [/container not found/i, "container_not_found"] as const
    : [/is the sandbox started/i, "sandbox_stopped"] as const;
  return text.test(message) ? code : undefined;
}

/** True for a path of the runner below a sandbox. */
function isPathOf(path: string, sandboxId: string | undefined): boolean {
  return sandboxId === undefined
    ? /^\/sandboxes\/[\w-]+\/toolbox\//.test(path)
    : path.startsWith(`/sandboxes/${sandboxId}/`);
}

/** The members of a JSON object; none if the text is no such object. */
export function membersOf(body: string): Readonly<Record<string, unknown>> {
  const parsed = parseJson(body);
  return typeof parsed === "object" && parsed !== null ? { ...parsed } : {};
}
