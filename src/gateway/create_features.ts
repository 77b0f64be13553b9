/** Creates the features that are switched on, from the parts of the core that are there before any of them. */
import { Members } from "../control/api/members.ts";
import type { Forwarder } from "../proxy/forward.ts";
import type { UpstreamClient } from "../upstream/http1/client.ts";
import type { Feature } from "./feature.ts";
import {
  type FeatureHooks,
  foldHooks,
  type NamedFeature,
} from "./feature_hooks.ts";
import type {
  Auth,
  FeatureModule,
  FeatureParts,
  Resolvers,
} from "./feature_module.ts";
import { PreviewLooks } from "./preview_looks.ts";
import { PreviewProbe } from "./preview_probe.ts";

type CoreParts =
  & Omit<
    FeatureParts,
    keyof Auth | keyof Resolvers | "members" | "looks" | "sandboxPages"
  >
  & {
    readonly auth: Auth;
    readonly resolvers: Resolvers;
    readonly forwarder: Forwarder;
    readonly upstream: UpstreamClient;
  };

/**
 * Creates them, in this order, and has the gate know their grants.
 * @throws {Error} as {@linkcode foldHooks}
 */
export function createFeatures(
  modules: readonly FeatureModule[],
  { auth, resolvers, forwarder, upstream, ...core }: CoreParts,
): { readonly features: readonly Feature[]; readonly hooks: FeatureHooks } {
  const { states, sandboxes: destinations } = resolvers;
  const parts: FeatureParts = {
    ...core,
    ...auth,
    ...resolvers,
    members: new Members({ ...auth, states }),
    looks: new PreviewLooks(
      new PreviewProbe({ ...auth, forwarder, upstream, states, destinations }),
      core.now,
    ),
    sandboxPages: () =>
      features.flatMap(({ sandboxPage }) => sandboxPage ?? []),
  };
  const named = modules.flatMap((module): NamedFeature[] => {
    const feature = module.create(parts);
    return feature === undefined ? [] : [[module.name, feature]];
  });
  const features = named.map(([, feature]) => feature);
  auth.grants.use(features.flatMap(({ grants }) => grants ?? []));
  return { features, hooks: foldHooks(named) };
}
