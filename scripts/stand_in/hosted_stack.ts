/**
 * A Daytona that somebody else operates: the stack's sandboxes behind that one's own proxy, for a gateway that has an
 * organization's key, and neither a proxy's nor a runner's. It has the traps of the real one, which surprise whoever
 * builds a gateway in front of it. Where they are, and how a test sets them up:
 *
 * The API, for an organization's key (`test/scripts/stand_in/hosted_api_test.ts`):
 *
 * - impostors: `getPortPreviewUrl` and `getSignedPortPreviewUrl` look a sandbox up by `withNamedSandbox()` with
 *   `namesFirst`; give one another's id as its `name`
 * - names that are no host labels, or look like a signed token: `ApiSandbox.name` is any text; proxies find ids only
 * - port `NaN`, `3000.5`, `1e3`: `getPortPreviewUrl`
 * - a URL that proxyTemplateUrl does not match: put a sandbox into {@linkcode CUSTOM_REGION}; `listAvailableRegions`
 * - a URL at a host that nobody may trust: `api.state.regions.set("eu", { proxyUrl: hosted.origin("stranger.localhost") })`
 * - secrets in the answer: `SECRET_ENV`, by default in the `env` of every sandbox that `getSandbox` shows
 * - what the key may not ask (403): the guard `PROXIES`, of `/preview/…` but for `/access`
 * - a key without permissions: `HOSTED_KEYS.member`; `WRITERS`, for what starts and stops
 * - JWTs without their organization, or with a foreign one (403): `callerProblem()`, `ApiState.memberships`
 * - service keys that open everything at `/access` and `/sandbox/{id}`: `ANY_BEARER`, `KEYS.service`, `KEYS.sshGateway`
 * - the organization's quotas: `api.state.limits.authenticated` and `.sandboxLifecycle`, with `Retry-After-…` only
 * - bearers that block their address, for good keys too: `api.state.limits.failedAuth`
 * - a token that is shown for a second after it has changed: `api.cache.isOn`
 * - destroyed (404), also `error` that is to be destroyed: `isGone()`; archived: no `runnerId`
 * - starts (`lifecycle_test.ts`): `Lifecycle.start()`, whose times are `api.lifecycle.jobs`; refusals are in
 *   `startRefusal()`: `startFailure` and `isPending` of a sandbox, `suspensionReason` and `exceeded` of an
 *   organization, `isClosed` of a region
 *
 * The proxy (`hosted_proxy_test.ts`, `hosted_answers_test.ts`):
 *
 * - a token that is not right leads to the login, always (307, `pkce_verifier`), and so does an unknown or deleted
 *   sandbox, and a name: `loginRedirect()`; an app's own 401 passes
 * - of two token headers the first counts, a token in the query has it sorted: `HostedAdmission`
 * - credentials reach the app of a public sandbox: `HostedAdmission.admit()`
 * - links: `Set-Cookie` with every answer, and the cookie outlives the link: `HostedAdmission`; set `revoked` or
 *   `expiresAt` of `api.state.signedTokens`
 * - tokens and `public` that stay for as long as they are in use: `ExtendingCache`; `hosted.forget()` ends that
 * - stopped and in error are the same JSON (400), archived (400, or 404 once known), an empty 502: the runner, and
 *   `HostedRunners`
 * - X-Forwarded-Host twice, X-Daytona-Authorization twice (401), which headers reach the app: `HostedRunners`
 * - gzip that nobody asked for: `forward()`
 * - CORS, before authentication and twice: `corsLines()`, `preflight()`
 * - the warning, which swallows POSTs and Firefox's WebSockets: `hosted.showsWarning`, `warningPage()`,
 *   `acceptedWarning()`
 * - `/health`, and a toolbox that any key opens: `HostedProxy.#ofBase()`
 *
 * What the proxy asks the API does not count there, so that `api.calls` has only the gateway's own. Its names are not in any DNS:
 * `dialHosted` connects to them. `hosted.fault` puts something else in its place.
 *
 * `hosted.seen` has what reached the proxy, `runner.seen` what reached the runner, and `/echo` of the app what reached
 * that; `hosted.runners.activity` has whose use the proxy has reported.
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
