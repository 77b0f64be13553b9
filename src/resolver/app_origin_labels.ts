/**
 * What the owner of a sandbox wants its apps to be told of their own address (see proxy/app_origin.ts), by its labels:
 * `porthole.app-origin` for all ports, and `porthole.app-origin.<port>` for one. Whoever may label a sandbox may write to
 * it; visitors cannot.
 */
import { z } from "zod";
import { isPort } from "../address/grammar.ts";
import { APP_ORIGIN_MODES, type AppOriginMode } from "../config/config.ts";
import type { SandboxPort } from "./destination.ts";

/** The wishes by port; that of {@linkcode ALL_PORTS} is for the ports without one of their own. */
export type AppOriginLabels = Readonly<Record<string, AppOriginMode>>;

export const NO_LABELS: AppOriginLabels = {};

const NAME = /^porthole\.app-origin(?:\.([1-9][0-9]{0,4}))?$/;

const ALL_PORTS = "*";

/** Most wishes of one sandbox: they are kept with where it is. */
const MAX_LABELS = 32;

const mode = z.enum(APP_ORIGIN_MODES);

/** Reads stored wishes; none from what is not readable. */
export const storedAppOriginLabels: z.ZodType<AppOriginLabels> = z
  .record(z.string(), mode).catch(NO_LABELS);

/** The wishes in a sandbox's labels. A value that is no mode is no wish. */
export function appOriginLabels(
  labels: Readonly<Record<string, string>>,
): AppOriginLabels {
  const wishes: [string, AppOriginMode][] = [];
  for (const [name, value] of Object.entries(labels)) {
    const match = NAME.exec(name);
    const wish = mode.safeParse(value).data;
    if (match === null || wish === undefined) continue;
    const [, port = ALL_PORTS] = match;
    if (port === ALL_PORTS || isPort(Number(port))) wishes.push([port, wish]);
  }
  return wishes.length === 0
    ? NO_LABELS
    : Object.fromEntries(wishes.slice(0, MAX_LABELS));
}

/** The wish for a port; `otherwise` if there is none. */
export function appOriginOn(
  port: SandboxPort,
  labels: AppOriginLabels,
  otherwise: AppOriginMode,
): AppOriginMode {
  return labels[port] ?? labels[ALL_PORTS] ?? otherwise;
}
