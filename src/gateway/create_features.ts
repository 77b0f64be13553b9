/** Creates the features that are switched on, from the parts of the core that are there before any of them. */
import type { KnownNames } from "../address/known_names.ts";
import { Members } from "../control/api/members.ts";
import type { Forwarder } from "../proxy/forward.ts";
import type { UpstreamClient } from "../upstream/http1/client.ts";
import { type Chains, chainsOf, type NamedFeature } from "./chains.ts";
import type {
  Auth,
  FeatureModule,
  FeatureParts,
  Resolvers,
} from "./feature_module.ts";
import { inOrder } from "./module_order.ts";
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
    readonly names: KnownNames;
  };

/**
 * Creates them, and has the gate know their grants, and the host parser their names.
 * @throws {Error} as {@linkcode inOrder} and {@linkcode chainsOf}
 */
export function createFeatures(
  modules: readonly FeatureModule[],
  { auth, resolvers, forwarder, upstream, names, ...core }: CoreParts,
): Chains {
  const { states, sandboxes: destinations } = resolvers;
  const parts: FeatureParts = {
    ...core,
    ...auth,
    ...resolvers,
    upstream,
    members: new Members({ ...auth, states }),
    looks: new PreviewLooks(
      new PreviewProbe({ ...auth, forwarder, upstream, states, destinations }),
      core.now,
    ),
    sandboxPages: () => chains.control.sandboxPages,
  };
  const chains = chainsOf(
    inOrder(modules).flatMap((module): NamedFeature[] => {
      const feature = module.create(parts);
      return feature === undefined ? [] : [[module.name, feature]];
    }),
  );
  auth.grants.use(chains.judge);
  names.use(chains.resolve);
  return chains;
}
