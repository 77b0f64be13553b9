/** What a front may spoil although pages load: WebSockets, and responses that arrive part by part. */
import { type Finding, findingsOf } from "../finding.ts";
import type { World } from "../world.ts";
import { hopOfCode } from "./hops.ts";
import type { OutsideView } from "./outside.ts";
import {
  hostHeader,
  hostnameOf,
  requestHeaders,
  type Subject,
} from "./subject.ts";
import { type Address, visit } from "./visit.ts";

const webSocket = findingsOf("WebSocket");
const streaming = findingsOf("streaming");

const LOST =
  "Let the front pass Upgrade and Connection on, over HTTP/1.1; nginx needs proxy_http_version 1.1 and both headers set.";

/** Opens a WebSocket to the app; if it takes none, finds out whether the handshake arrives at the gateway. */
export async function checkWebSocket(
  subject: Subject,
  { address, answer, code }: Pick<OutsideView, "address" | "answer" | "code">,
  world: World,
): Promise<Finding> {
  if (address === undefined) return webSocket.skipped("No gateway is reached.");
  if (answer === undefined || code !== undefined) {
    return webSocket.skipped("The gateway lets no request through to the app.");
  }
  const opened = await shakeHands(subject, address, { version: 13, world });
  if (!opened.answered) {
    return webSocket.failed(
      `There is no answer to a handshake: ${opened.reason}.`,
      LOST,
    );
  }
  const { status } = opened;
  const app = `A handshake for ${subject.path} is answered with status`;
  if (status === 101) return webSocket.ok(`${app} 101 by the app.`);
  const refusal = opened.headers.get("x-porthole-error") ?? undefined;
  // A gateway refuses this version by itself, if it sees a handshake at all.
  const other = await shakeHands(subject, address, { version: 99, world });
  const arrives = other.answered &&
    other.headers.get("x-porthole-error") === "upgrade_required";
  if (!arrives) {
    return webSocket.failed(
      `${app} ${status}, and reaches the gateway as an ordinary request.`,
      LOST,
    );
  }
  return refusal !== undefined && hopOfCode(refusal) !== "WebSocket"
    ? webSocket.failed(
      `${app} ${status} by the gateway: ${refusal}.`,
      "docs/errors.md says what to do about each code.",
    )
    : webSocket.ok(
      `${app} ${status} by the app, which takes no WebSocket there; handshakes do reach the gateway.`,
    );
}

function shakeHands(
  subject: Subject,
  address: Address,
  { version, world }: { readonly version: number; readonly world: World },
): ReturnType<typeof visit> {
  const { base } = subject;
  const host = hostHeader(hostnameOf(subject), base);
  const key = btoa(
    String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16))),
  );
  return visit(address, {
    host,
    target: subject.path,
    headers: {
      ...requestHeaders(subject),
      origin: `${base.protocol}://${host}`,
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-key": key,
      "sec-websocket-version": String(version),
    },
    parts: 0,
  }, world);
}

/** Less time than this between the two parts of `/health/stream` means that something has kept the first one back, ms. */
const MIN_GAP_MS = 100;

/** Asks the gateway for a response of two parts, and looks when each arrives. */
export async function checkStreaming(
  { base }: Subject,
  { address }: Pick<OutsideView, "address">,
  world: World,
): Promise<Finding> {
  if (address === undefined) return streaming.skipped("No gateway is reached.");
  const answer = await visit(address, {
    host: hostHeader(base.domain, base),
    target: "/health/stream",
    parts: 2,
  }, world);
  if (!answer.answered || answer.status !== 200) {
    return streaming.skipped(
      answer.answered
        ? `The gateway answers /health/stream with status ${answer.status}: it may be an older one.`
        : `There is no answer for /health/stream: ${answer.reason}.`,
    );
  }
  const [first = 0, second] = answer.partsMs;
  return second !== undefined && second - first >= MIN_GAP_MS
    ? streaming.ok(
      `Parts of a response arrive as they are sent: ${
        second - first
      } ms apart.`,
    )
    : streaming.failed(
      "Something in front of the gateway keeps responses back until they are complete.",
      "Switch its buffering off, and its compression: nginx needs proxy_buffering off.",
    );
}
