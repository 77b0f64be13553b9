/** What answers are made of: operations, and the sandbox that a call is about. */
import type { components } from "../../gen/daytona.ts";
import type { Caller, Callers } from "./api_callers.ts";
import type { Refusal } from "./api_refusal.ts";
import {
  type ApiSandbox,
  type ApiState,
  ORGANIZATION,
  REGION,
  SECRET_ENV,
  type SignedToken,
} from "./api_state.ts";
import type { Lifecycle } from "./lifecycle.ts";

/** A call, and who makes it. */
export interface Query {
  readonly state: ApiState;
  /** Starts and stops sandboxes. */
  readonly lifecycle: Lifecycle;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** The path parameters in order, decoded. */
  readonly params: readonly string[];
  /** The query. */
  readonly search: URLSearchParams;
  /** Undefined only where anyone may call. */
  readonly caller: Caller | undefined;
}

/** An operation: its call and its answer. */
export interface Operation<Answer> {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly callers: Callers;
  /** True if a string is sent as JSON; the real API sends it bare elsewhere. */
  readonly isJson?: boolean;
  /** True if it counts as a start or stop, and not as a call. */
  readonly isLifecycle?: boolean;
  answer(query: Query): Answer | Refusal | Promise<Answer | Refusal>;
}

/** Operations by their ids, each with the body of its success; undefined for a 201 without one. */
export type Operations<Answers> = {
  readonly [Id in keyof Answers]: Operation<Answers[Id]>;
};

/** The same answer for a private sandbox, a wrong token and a sandbox that does not exist. */
export function noSandbox(id: string): Refusal {
  return { refused: 404, message: `Sandbox with ID ${id} not found` };
}

/** Answers for the sandbox named first in the path, if it still lives and the caller may see it. */
export function withSandbox<T>(
  query: Query,
  answer: (sandbox: ApiSandbox) => T,
): T | Refusal {
  const sandbox = sandboxOf(query);
  if (sandbox === undefined || isGone(sandbox)) {
    return noSandbox(query.params[0] ?? "");
  }
  return answer(sandbox);
}

/**
 * Answers for the sandbox that is named first in the path by its id or its name, if it still lives and the caller may
 * see it. Services know ids only. With `namesFirst`, a sandbox whose name is another one's id comes before that. With
 * `endedToo`, the id also finds one that Daytona has ended by itself.
 */
export function withNamedSandbox<T>(
  query: Query,
  answer: (sandbox: ApiSandbox) => T,
  { namesFirst = false, endedToo = false }: {
    readonly namesFirst?: boolean;
    readonly endedToo?: boolean;
  } = {},
): T | Refusal {
  const { params: [text = ""] } = query;
  const candidates = namesFirst
    ? [namedSandbox(query), sandboxOf(query)]
    : [sandboxOf(query), namedSandbox(query)];
  const sandbox = candidates.find((one) =>
    one !== undefined &&
    (!isGone(one) || endedToo && one.id === text && wasEnded(one))
  );
  return sandbox === undefined
    ? { refused: 404, message: `Sandbox with ID or name ${text} not found` }
    : answer(sandbox);
}

function namedSandbox(
  { state, params: [name], caller }: Query,
): ApiSandbox | undefined {
  if (caller === undefined || caller.kind === "service") return undefined;
  return state.sandboxes.values().find((sandbox) =>
    sandbox.name === name && caller.visible.has(sandbox.id)
  );
}

function wasEnded({ spotEvictedAt, queueTimedOutAt }: ApiSandbox): boolean {
  return (spotEvictedAt ?? queueTimedOutAt) !== undefined;
}

/** True if the API no longer knows a sandbox, although it is in the database. */
export function isGone({ state, desiredState }: ApiSandbox): boolean {
  return state === "destroyed" ||
    state === "error" && desiredState === "destroyed";
}

/** The sandbox named first in the path; undefined if the caller may not see it. A destroyed one is one. */
export function sandboxOf(
  { state, params: [id = ""], caller }: Query,
): ApiSandbox | undefined {
  const sandbox = state.sandboxes.get(id);
  if (sandbox === undefined || caller === undefined) return undefined;
  const isVisible = caller.kind === "service"
    ? isInRegion(caller, sandbox)
    : caller.visible.has(id);
  return isVisible ? sandbox : undefined;
}

/** True unless the caller is the proxy of another region. */
export function isInRegion(
  caller: Caller | undefined,
  { region = REGION }: { readonly region?: string },
): boolean {
  return caller?.kind !== "service" || caller.role !== "region-proxy" ||
    caller.region === region;
}

/** A link that is still good for a port; undefined if there is none. */
export function linkTo(
  { state, now }: Pick<Query, "state" | "now">,
  token: string,
  port: string | null,
): SignedToken | undefined {
  const link = state.signedTokens.get(token);
  const isGood = link !== undefined && link.port === Number(port) &&
    !link.revoked && now < link.expiresAt;
  return isGood ? link : undefined;
}

/** The URL of a preview, at the proxy of the sandbox's region if that has one. */
export function previewUrl(
  { state, params: [, text = ""] }: Query,
  { region = REGION }: ApiSandbox,
  label: string,
): string {
  // Whatever was asked for: `NaN-…` is a URL to the real one.
  const port = String(Number(text));
  const proxyUrl = state.regions.get(region)?.proxyUrl;
  return proxyUrl === undefined
    ? state.config.proxyTemplateUrl
      .replace("{{PORT}}", port)
      .replace("{{sandboxId}}", label)
    : proxyUrl.replace("://", `://${port}-${label}.`);
}

/** A sandbox as the API shows it, with its secrets. */
export function shownSandbox(
  { state: { config } }: Pick<Query, "state">,
  sandbox: ApiSandbox,
): components["schemas"]["Sandbox"] {
  const { region = REGION, runnerId, snapshotRef, ...known } = sandbox;
  const {
    authToken: _,
    signingKey: __,
    isPending: ___,
    startFailure: ____,
    ...shown
  } = known;
  const details = {
    ...SANDBOX_DETAILS,
    name: shown.id,
    target: region,
    toolboxProxyUrl: config.proxyToolboxUrl,
  };
  return {
    ...details,
    desiredState: shown.state,
    ...shown,
    ...shown.state !== "archived" && { runnerId },
    ...snapshotRef !== undefined && { buildInfo: { snapshotRef } },
  };
}

/** The properties of a sandbox that the gateway's contract omits; sizes in GiB, times in minutes. */
const SANDBOX_DETAILS = {
  organizationId: ORGANIZATION,
  snapshot: "daytona-small",
  user: "daytona",
  env: SECRET_ENV,
  labels: {},
  cpu: 1,
  gpu: 0,
  memory: 1,
  disk: 3,
  networkBlockAll: false,
  volumes: [],
  recoverable: false,
  backupState: "None",
  autoStopInterval: 15,
  autoArchiveInterval: 10_080,
  autoDeleteInterval: -1,
  sandboxClass: "container",
  createdAt: "2023-10-01T12:00:00Z",
  updatedAt: "2023-10-01T12:00:00Z",
  lastActivityAt: "2023-10-01T12:00:00Z",
  daemonVersion: "0.0.0-stack",
};

/** The key by which the URLs of the sandbox's files are signed. */
export function signingKeyOf(sandbox: ApiSandbox): string {
  return sandbox.signingKey ??= crypto.randomUUID();
}

/** The real one looks for either without an order, and was seen to find the impostor. */
export const NAMES_FIRST = { namesFirst: true };
