/**
 * The labels by which the owner of a sandbox says how it is served, as far as somebody reads them. Whoever may label a
 * sandbox may write to it; visitors cannot.
 */
import { z } from "zod";
import { APP_ORIGIN_MODES, type AppOriginMode } from "../config/config.ts";
import type { SandboxPort } from "./destination.ts";

/** Their values, by name. */
export type OwnerLabels = Readonly<Record<string, string>>;

/** What the API's record of a sandbox says of who owns it; the organization is null if it does not tell. */
export interface Owner {
  readonly labels: OwnerLabels;
  readonly organizationId: string | null;
}

/** None. */
export const NO_LABELS: OwnerLabels = {};

/** Labels that somebody reads, by their names. */
const READ: readonly RegExp[] = [
  /^porthole\.identity$/,
  /^porthole\.app-origin(\.[1-9]\d{0,4})?$/,
  /^porthole\.allow$/,
];

/** Most of one sandbox, and the longest values, characters: they are kept with where the sandbox is. */
const MAX_LABELS = 32;
const MAX_LENGTH = 64;
const MAX_ALLOW_LENGTH = 1024;

/** Reads stored ones. */
export const storedOwnerLabels: z.ZodType<OwnerLabels> = z
  .record(z.string(), z.string());

/** Reads stored owners. */
export const storedOwner: z.ZodType<Owner> = z.object({
  labels: storedOwnerLabels,
  organizationId: z.string().nullable(),
});

/** Labels that close ports (auth/port_policy.ts): none is left out, whatever it says. */
const PORT_LABEL = /^porthole\.port\.(\*|[1-9]\d{0,4})$/;
const MAX_PORT_LABELS = 256;

/** The labels of a sandbox that somebody reads; {@linkcode NO_LABELS} itself if there are none. */
export function ownerLabels(
  labels: Readonly<Record<string, string>>,
): OwnerLabels {
  const all = Object.entries(labels);
  const own = all.filter(([name, value]) =>
    READ.some((each) => each.test(name)) && value.length <=
      (name === "porthole.allow" ? MAX_ALLOW_LENGTH : MAX_LENGTH)
  );
  const ofPorts = all
    .filter(([name]) => PORT_LABEL.test(name))
    .map(([name, value]) => [name, value.slice(0, MAX_LENGTH)] as const);
  // Too many to keep close what they might have closed.
  const closing = ofPorts.length > MAX_PORT_LABELS
    ? [["porthole.port.*", "members"] as const]
    : ofPorts;
  const kept = [...closing, ...own.slice(0, MAX_LABELS)];
  return kept.length === 0 ? NO_LABELS : Object.fromEntries(kept);
}

const APP_ORIGIN = "porthole.app-origin";

/**
 * What an app is told of its own address (see proxy/app_origin.ts): by the label for its port,
 * `porthole.app-origin.<port>`, by the one for all ports, or `otherwise`. A value that is no mode is no wish.
 */
export function appOriginOn(
  port: SandboxPort,
  labels: OwnerLabels,
  otherwise: AppOriginMode,
): AppOriginMode {
  if (labels === NO_LABELS) return otherwise;
  return modeOf(labels[`${APP_ORIGIN}.${port}`]) ??
    modeOf(labels[APP_ORIGIN]) ?? otherwise;
}

function modeOf(value: string | undefined): AppOriginMode | undefined {
  return APP_ORIGIN_MODES.find((mode) => mode === value);
}
