/**
 * A Daytona that somebody else operates: the stack's sandboxes behind that one's own proxy, for a gateway that has an
 * organization's key, and neither a proxy's nor a runner's. The traps are listed in `hosted_proxy.ts`.
 */
import { ORGANIZATION } from "./api_state.ts";
import { REGION_DOMAIN } from "./hosted_certificate.ts";
import { type HostedProxy, startHostedProxy } from "./hosted_proxy.ts";
import type { OpenidProvider } from "./provider.ts";
import { startOpenidProvider } from "./provider.ts";
import { type Stack, type StackOptions, startStack } from "./stack.ts";

/** The credentials of a hosted stack, besides those of every stack. */
export const HOSTED_KEYS = {
  /** The gateway's API key: the organization's, with `write:sandboxes`. */
  organization: "dtn_stack_organization_key",
  /** The API key of a member with access to all sandboxes, and no permission. */
  member: "dtn_stack_member_key",
  /** The API key of somebody in another organization. */
  foreigner: "dtn_stack_foreigner_key",
} as const;

/** The id of a custom region, whose proxy has another domain; sandboxes can be put there. */
export const CUSTOM_REGION = "eu";

/** Differences from the default stack. */
export interface HostedStackOptions extends StackOptions {
  /** False for a Daytona whose proxy is without TLS. */
  readonly tls?: boolean;
}

/** A running hosted stack. */
export interface HostedStack extends Stack {
  /** Daytona's proxy. Its names lead nowhere: connect to its port on 127.0.0.1. */
  readonly hosted: HostedProxy;
  /**
   * The gateway operator's own identity provider, not Daytona's. Its users are `alice` of the group `staff`,
   * `mallory`, and `unverified`, whose address nobody has confirmed.
   */
  readonly loginProvider: OpenidProvider;
}

/** Starts everything; the environment is that of a gateway without a login. */
export async function startHostedStack(
  { tls = true, ...options }: HostedStackOptions = {},
): Promise<HostedStack> {
  await using started = new AsyncDisposableStack();
  const stack = started.use(await startStack(options));
  const { api } = stack;
  const { clock } = options;
  const hosted = started.use(
    await startHostedProxy(api, {
      tls,
      ...clock !== undefined && { now: () => clock.now() },
    }),
  );
  const { config, users, apiKeys, regions } = api.state;
  Object.assign(config, {
    proxyTemplateUrl: hosted.origin()
      .replace("://", "://{{PORT}}-{{sandboxId}}."),
    proxyToolboxUrl: `${hosted.origin()}/toolbox`,
    dashboardUrl: `${hosted.origin()}/dashboard`,
  });
  regions.set(CUSTOM_REGION, {
    proxyUrl: hosted.origin(REGION_DOMAIN),
    organizationId: ORGANIZATION,
  });
  const all = [...api.state.sandboxes.keys()];
  users.set(HOSTED_KEYS.organization, new Set(all))
    .set(HOSTED_KEYS.member, new Set(all))
    .set(HOSTED_KEYS.foreigner, new Set());
  apiKeys.set(HOSTED_KEYS.organization, { permissions: ["write:sandboxes"] })
    .set(HOSTED_KEYS.foreigner, { organizationId: "another" });
  const loginProvider = started.use(await startLoginProvider(options));

  const { PROXY_API_KEY: _, ...environment } = stack.environment;
  const owned = started.move();
  return {
    ...stack,
    hosted,
    loginProvider,
    environment: {
      ...environment,
      DAYTONA_API_KEY: HOSTED_KEYS.organization,
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function startLoginProvider(
  { publicHost = "proxy.localhost" }: StackOptions,
): Promise<OpenidProvider> {
  const provider = await startOpenidProvider({
    clientId: "operators-client",
    users: ["alice", "mallory", "unverified"],
  });
  provider.redirectUris.add(`http://${publicHost}/callback`);
  provider.claims
    .set("alice", { email_verified: true, groups: ["staff"] })
    .set("mallory", { email_verified: true })
    .set("unverified", { email_verified: false, groups: ["staff"] });
  return provider;
}
