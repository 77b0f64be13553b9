/** `/.porthole/state` of a preview host: how the preview is, for the page that frames it and for ours in the frame. */
import { createHash } from "node:crypto";
import {
  bearerOf,
  type Credential,
  grantSessionsIn,
} from "../../auth/credentials.ts";
import { GatewayError } from "../../errors.ts";
import type { FeatureParts } from "../../gateway/feature_module.ts";
import type { Guest } from "../../gateway/progress.ts";
import type { HeaderList } from "../../http/headers.ts";
import { frameState } from "../../pages/frame_state.ts";
import { OWN_ANSWER_HEADERS } from "../../pages/problem.ts";
import type { CountById } from "../../proxy/counts.ts";
import type { EmbedCodes } from "./embed_codes.ts";
import {
  askedOf,
  type EmbedExchange,
  factsOf,
  frameRefused,
  isSentByOwnPage,
} from "./embed_exchange.ts";
import { EMBEDS } from "./embed_kind.ts";
import { stateEvents, type ToldState } from "./state_events.ts";

/** What lets pages of any origin read a failure. */
const ANY_PAGE: HeaderList = [["access-control-allow-origin", "*"]];

interface StateParts extends FeatureParts {
  readonly codes: Pick<EmbedCodes, "openState">;
  /** How many of one client listen to one preview. */
  readonly listeners: Pick<CountById, "increment" | "decrement">;
  readonly draining: AbortSignal;
}

/** Who asks. */
interface Listener {
  readonly guest: Guest;
  /** Origins of other hosts that may read the answer. */
  readonly readers: readonly string[];
  /** True once the preview is over for whoever asks; rejects with a `GatewayError` if nobody can tell now. */
  isOver(): Promise<boolean>;
}

/**
 * Answers with the state, or with events as long as there may be another one.
 * @throws {GatewayError} `client_overloaded`, `overloaded`, or as it is refused
 */
export async function handleEmbedState(
  x: EmbedExchange,
  parts: StateParts,
): Promise<Response> {
  const { received: { method, headers }, route: { host: { port } } } = x;
  const origin = headers.get("origin") ?? "";
  if (method === "OPTIONS") return x.answer(preflightAnswer());
  if (method !== "GET" && method !== "HEAD") {
    throw new GatewayError("method_not_allowed", method);
  }
  x.progress.onLookups();
  const token = bearerOf(headers);
  const listener = token === undefined
    ? await ownPage(x, parts)
    : await holderOf(token, x, parts);
  const { guest, readers } = listener;
  const { sandboxId } = guest;
  const { looks, listeners, draining } = parts;
  const preview = `${sandboxId}:${port}`;
  const wantsEvents = method === "GET" &&
    headers.get("accept")?.includes("text/event-stream") === true;
  if (wantsEvents) {
    const ofClient = listeners.increment(`${preview}:${factsOf(x).client}`);
    if (ofClient === undefined) {
      throw new GatewayError("client_overloaded", "Too many listen");
    }
    x.onEnd(() => listeners.decrement(ofClient));
  }
  // Whoever asks takes no place of the app's, and whoever listens none of theirs. Events end by themselves, so that the
  // end is told.
  const countsAgainst = `${wantsEvents ? "events" : "state"}:${preview}`;
  x.grant({ ...guest, countsAgainst }, () => Promise.resolve(true));
  // All who listen to one preview look at one time, and at others at other times.
  const aheadMs = createHash("sha256").update(preview).digest().readUInt16BE();
  const now = () => parts.now() + aheadMs;
  const look = async (): Promise<ToldState> => {
    if (await listener.isOver().catch(falseInOutage)) {
      return { state: "ended", code: "grant_invalid", port, ready: false };
    }
    const { code, retryAfterSec } = await looks.at({ sandboxId, port });
    const told = { state: frameState(code), code, port, ready: code === null };
    return { ...told, ...retryAfterSec !== undefined && { retryAfterSec } };
  };
  const answered: [string, string][] = Object.entries(OWN_ANSWER_HEADERS);
  if (readers.includes(origin)) {
    answered.push(["access-control-allow-origin", origin]);
  }
  if (!wantsEvents) {
    return x.answer(Response.json(await look(), { headers: answered }));
  }
  answered.push(["content-type", "text/event-stream"]);
  answered.push(["x-accel-buffering", "no"]);
  const body = stateEvents({ look, now, draining });
  return x.relay({ status: 200, headers: answered, body });
}

/** What any page may send, since a preflight has no bearer: which may read the answer is told with that. */
function preflightAnswer(): Response {
  return new Response(null, {
    status: 204,
    headers: {
      ...OWN_ANSWER_HEADERS,
      "access-control-allow-origin": "*",
      "access-control-allow-methods": "GET",
      "access-control-allow-headers": "authorization",
      "access-control-max-age": "600",
    },
  });
}

/** Whoever has an embed's token, which says all of it, also once that has ended. @throws {GatewayError} `grant_invalid` */
async function holderOf(
  token: string,
  x: EmbedExchange,
  { codes, records }: StateParts,
): Promise<Listener> {
  const { label, port } = x.route.host;
  const embed = await codes.openState(token);
  if (embed?.port !== port || embed.sandboxId.toLowerCase() !== label) {
    // Whose it was is not known any more, so any page may read that, which tells nothing.
    const advice = { headers: ANY_PAGE };
    const reason = "No token of this preview";
    throw new GatewayError("grant_invalid", reason, { advice });
  }
  const { id, sandboxId, ancestors: readers } = embed;
  const isOver = async () => await records.get(EMBEDS, id) === undefined;
  return { guest: { sandboxId, by: "embed" }, readers, isOver };
}

/**
 * A page of this host in a frame, by the session of that; where the preview is public, it needs none.
 * @throws {GatewayError} `frame_refused` if there is none, or as the gate does
 */
async function ownPage(
  x: EmbedExchange,
  parts: StateParts,
): Promise<Listener> {
  const { gate, accessEvents, sessions, cookies } = parts;
  const { received: { headers }, route: { host: { label } } } = x;
  const cookie = isSentByOwnPage(x, parts) === false
    ? ""
    : headers.get("cookie");
  const credentials: Credential[] = [];
  for (const sealed of grantSessionsIn(cookie ?? "", cookies)) {
    const session = await sessions.open(sealed);
    const isFrames = session?.kind === "grant" && session.frame !== undefined;
    if (isFrames) credentials.push({ kind: "session", sealed });
  }
  const asked = askedOf(x, credentials);
  let latest = await gate.admit(asked);
  if (latest.kind === "login") {
    latest = await gate.admit({ ...asked, isForMembers: false });
  }
  if (latest.kind === "login") throw frameRefused("cookie_not_kept");
  if (latest.kind === "allow" && latest.grant !== undefined) {
    const { sandboxId, subject, grant } = latest;
    accessEvents.usedGrant({ ...factsOf(x), sandboxId, subject, grant });
  }
  return {
    guest: latest.kind === "allow" ? latest : { sandboxId: label, by: "embed" },
    readers: [],
    async isOver() {
      if (latest.kind === "allow") latest = await gate.readmit(asked, latest);
      return latest.kind !== "allow";
    },
  };
}

/** An outage ends nothing. */
function falseInOutage(error: unknown): false {
  if (error instanceof GatewayError) return false;
  throw error;
}
