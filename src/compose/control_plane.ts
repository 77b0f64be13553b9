/** Composes the control plane: the gateway's own routes. */
import type { Config } from "../config/config.ts";
import { type Control, createControl } from "../control/app.ts";
import { createReadiness } from "../control/readiness.ts";
import type { Readiness } from "../control/routes/health.ts";
import type { Logger } from "../observability/log.ts";
import type { RemoteSettings } from "../resolver/remote_settings.ts";
import type { Foundation } from "./foundation.ts";
import type { Identity } from "./identity.ts";

/** Dependencies of {@linkcode composeControlPlane}. */
export interface ControlPlaneOptions {
  readonly version: string;
  readonly identity: Identity;
  readonly installation: RemoteSettings;
  /** Whether the gateway is shutting down. */
  readonly isDraining: () => boolean;
  /** Aborted when what is left is given up: what fails then is no news. */
  readonly closing: AbortSignal;
  readonly logger: Logger;
}

/** The gateway's own routes, and what one of them answers. */
export interface ControlPlane {
  readonly control: Control;
  readonly readiness: () => Promise<Readiness>;
}

/** Composes the handler of the gateway's own routes. */
export function composeControlPlane(
  config: Config,
  { api, serviceKey, store, now }: Foundation,
  options: ControlPlaneOptions,
): ControlPlane {
  const { version, identity, installation, isDraining, logger } = options;
  const { cookies, sessions, logins, login } = identity;
  const { baseDomains } = installation;
  const scheme = config.public.protocol;
  const readiness = createReadiness({
    askApi: () => api.config(),
    serviceKey,
    tryKey: () => api.tryKey(),
    async askProvider() {
      const state = login();
      if (state.kind === "on") await state.provider.check();
    },
    installation,
    ...(store === null ? {} : {
      cacheWorks: async () => await store.get(["ready"]) !== "unavailable",
    }),
    isDraining,
    onChange(check, reason) {
      if (options.closing.aborted) return;
      if (reason === undefined) logger.info(`ready again: ${check}`);
      else logger.warn(`not ready: ${check}`, { reason });
    },
    now,
  });
  const control = createControl({
    version,
    readiness,
    login: { scheme, cookies, baseDomains, login, sessions, logins, now },
    logout: { scheme, cookies, sessions, logins },
    logger,
  });
  return { control, readiness };
}
