/** Creates what answers for sandboxes: by an API that knows the gateway as its proxy, or by an organization's key. */
import type { Config } from "../config/config.ts";
import type { DaytonaApi } from "../daytona/api.ts";
import type { RoleWatch } from "../daytona/proxy_role.ts";
import { createReportLimit } from "../lib/cooldown.ts";
import type { Sealer } from "../lib/seal.ts";
import { loggerFor } from "../observability/log.ts";
import type { UpstreamClient } from "../upstream/http1/client.ts";
import { HostedAccess } from "./hosted/hosted_access.ts";
import { HostedResolver, type Mismatch } from "./hosted/hosted_resolver.ts";
import type { LookupCacheOptions } from "./lookup_cache.ts";
import { AccessResolver } from "./own/access.ts";
import {
  SandboxResolver,
  type SandboxResolverOptions,
} from "./own/sandboxes.ts";
import { opensLink } from "./refusals/hosted_refusals.ts";
import { RemoteSettings } from "./remote_settings.ts";
import { SandboxChanges } from "./sandbox_changes.ts";
import { SandboxStates } from "./sandbox_states.ts";

interface ResolverParts {
  readonly api: DaytonaApi;
  readonly role: Pick<RoleWatch, "role">;
  readonly lookups: LookupCacheOptions;
  readonly sealerFor: (purpose: string) => Sealer;
  /** For probes of what refuses. */
  readonly upstream: UpstreamClient;
  /** Ends what is under way for visitors who were admitted because a sandbox was public, if it no longer is. */
  readonly recheckPublic: (sandboxId: string) => Promise<void>;
}

/** Creates what tells who may see a sandbox, and where it is. */
// deno-lint-ignore explicit-module-boundary-types -- its parts, by their names
export function createResolvers(config: Config, parts: ResolverParts) {
  const { api, role, lookups, sealerFor, upstream } = parts;
  const { background, now } = lookups;
  const isHosted = config.daytona.mode === "hosted";
  const remoteSettings = new RemoteSettings(config, {
    api,
    role: () => role.role(),
    warn: (message, facts) => loggerFor("start").warn(message, facts),
  });
  const changes = new SandboxChanges(lookups.store, background);
  const states = new SandboxStates(api, {
    maxEntries: config.cache.maxEntries,
    background,
    now,
    onStarted: (sandboxId) =>
      background.add("announce start", changes.announce(sandboxId)),
  });
  function recheckVisitors(sandboxId: string): void {
    background.add("recheck visitors", parts.recheckPublic(sandboxId));
  }
  function onPrivate(sandboxId: string, stored?: Promise<void>): void {
    recheckVisitors(sandboxId);
    const told = stored?.then(() => changes.announceStored(sandboxId));
    if (told) background.add("announce private", told);
  }
  const sealer = sealerFor(isHosted ? "preview" : "runner");
  const { appOrigin } = config.public;
  const options = { ...lookups, sealer, appOrigin, upstream, onPrivate };
  const known = {
    isSandboxPublic: (id: string) => api.isSandboxPublic(id),
    runnerOfSandbox: (id: string) => api.runnerOfSandbox(id),
    recordOf: (id: string) => states.recordOf(id),
  };
  const { sandboxes, access } = isHosted
    ? createHostedResolvers(options, parts, remoteSettings)
    : {
      sandboxes: new SandboxResolver(known, options),
      access: new AccessResolver(api, lookups),
    };
  changes.tell([states, sandboxes, access, { forget: recheckVisitors }]);
  const labelsOf = (id: string, onMiss: () => void) =>
    sandboxes.labelsOf(id, onMiss);
  return { remoteSettings, changes, states, sandboxes, access, labelsOf };
}

function createHostedResolvers(
  options: SandboxResolverOptions,
  parts: ResolverParts,
  remoteSettings: RemoteSettings,
) {
  const { api, lookups, upstream } = parts;
  const shouldReport = createReportLimit(() => performance.now());
  const sandboxes = new HostedResolver(api, {
    ...options,
    onMismatch(reason, sandboxId) {
      if (!shouldReport(reason)) return;
      loggerFor("api").warn(MISMATCHES[reason], { sandboxId });
    },
  });
  const access = new HostedAccess({
    api,
    sandboxes,
    issuers: () => remoteSettings.issuers,
    async opensLink(token, port) {
      const link = sandboxes.linkIdOf(token);
      const destination = await sandboxes.destinationOf(link, port, () => {});
      return destination !== null && await opensLink(upstream, destination);
    },
  }, lookups);
  return { sandboxes, access };
}

/** Why the log says that an answer about a sandbox is not believed. */
const MISMATCHES: Readonly<Record<Mismatch, string>> = {
  another_sandbox:
    "the API answered with another sandbox: one has the id of another for its name; the other is not served until it is renamed",
  another_address:
    "the API says that a sandbox is where none of its proxies is (proxyTemplateUrl, GET /regions): it is not served",
};
