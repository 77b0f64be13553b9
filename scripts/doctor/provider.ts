import {
  generateRandomCodeVerifier,
  generateRandomNonce,
  generateRandomState,
} from "oauth4webapi";
import { z } from "zod";
import {
  internalEndpoint,
  isIssuer,
  publicEndpoint,
} from "../../src/auth/oidc/issuer_addresses.ts";
import {
  type AuthorizationAttempt,
  OpenidProvider,
} from "../../src/auth/oidc/provider.ts";
import type { Config } from "../../src/config/config.ts";
import { describeError } from "../../src/lib/describe_error.ts";
import type { OidcSettings } from "../../src/resolver/remote_settings.ts";
import { ask, type Reply } from "./ask.ts";
import { type Finding, findingsOf } from "./finding.ts";
import { abortable, type World } from "./world.ts";

const { ok, warning, failed } = findingsOf("provider discovery");

/** The part of the provider's metadata (OpenID Connect Discovery 1.0 section 3) that a login needs. */
const metadata = z.object({
  issuer: z.string(),
  authorization_endpoint: z.string(),
  token_endpoint: z.string(),
  jwks_uri: z.string(),
  code_challenge_methods_supported: z.array(z.string()).optional(),
});

type Metadata = z.infer<typeof metadata>;

const keySet = z.object({ keys: z.array(z.unknown()).min(1) });

/** The state of the identity provider. */
export interface ProviderView {
  readonly findings: readonly Finding[];
  /** Undefined if no login can be started. */
  readonly provider?: OpenidProvider;
}

/** A login attempt that is never completed. */
export function attemptFor(redirectUri: string): AuthorizationAttempt {
  return {
    state: generateRandomState(),
    nonce: generateRandomNonce(),
    codeVerifier: generateRandomCodeVerifier(),
    redirectUri,
  };
}

/** What to do for people to log in. */
const HOW_TO_HAVE_LOGINS: Readonly<
  Record<Config["daytona"]["mode"], string>
> = {
  proxy: "Set OIDC_DOMAIN and OIDC_CLIENT_ID, or their equivalents in the API.",
  hosted:
    "Set OIDC_DOMAIN and OIDC_CLIENT_ID to a provider of yours, and LOGIN_ALLOW to whom it lets in.",
};

/** Fetches the provider's metadata, and starts a login by the gateway's own code. */
export async function checkProvider(
  settings: OidcSettings | null,
  mode: Config["daytona"]["mode"],
  world: World,
): Promise<ProviderView> {
  if (settings === null) {
    return {
      findings: [warning(
        "No identity provider is configured, so nobody can log in; keys and signed links still work.",
        HOW_TO_HAVE_LOGINS[mode],
      )],
    };
  }
  const issuer = withoutSlash(settings.issuer);
  const judged = judgeDiscovery(
    settings,
    await ask(`${issuer}/.well-known/openid-configuration`, world),
  );
  if (judged.metadata === undefined) return { findings: [judged.finding] };

  const keys = judgeKeys(
    await ask(internalEndpoint(judged.metadata.jwks_uri, settings), world),
  );
  const oidc = { kind: "on", settings } as const;
  const provider = new OpenidProvider({ oidc }, world.now, "groups", false);
  try {
    await abortable(
      provider.authorizationUrl(attemptFor(issuer)),
      world.deadline(),
    );
  } catch (error) {
    const text = `Cannot start a login: ${describeError(error)}.`;
    return {
      findings: [
        issuer.startsWith("http:") && !settings.allowInsecure
          ? failed(text, "Plain http requires OIDC_ALLOW_INSECURE=true.")
          : failed(text),
      ],
    };
  }
  const findings = [
    judged.finding,
    keys,
    judgePublic(settings, judged.metadata),
  ]
    .filter((finding) => finding !== undefined);
  return { findings, provider };
}

/** Judges the reply to the discovery request. */
function judgeDiscovery(
  { issuer, publicIssuer, clientId }: OidcSettings,
  reply: Reply,
): { readonly finding: Finding; readonly metadata?: Metadata } {
  if (!reply.answered) {
    return {
      finding: failed(
        `Cannot reach the provider ${issuer}: ${reply.reason}.`,
        "Set OIDC_DOMAIN to its address for this process, and OIDC_PUBLIC_DOMAIN to its address for browsers.",
      ),
    };
  }
  const parsed = metadata.safeParse(reply.json);
  if (reply.status !== 200 || !parsed.success) {
    const missing = parsed.error?.issues.map(({ path }) => path.join("."));
    return {
      finding: failed(
        reply.status === 200 && reply.json !== undefined
          ? `The discovery document of ${issuer} lacks ${missing?.join(", ")}.`
          : `${issuer} does not serve a discovery document: status ${reply.status}.`,
        "Set OIDC_DOMAIN to the issuer with its full path, such as https://id.example.com/realms/daytona.",
      ),
    };
  }
  const { data } = parsed;
  if (!isIssuer(data.issuer, { issuer, publicIssuer })) {
    return {
      finding: failed(
        `The provider calls itself ${data.issuer}, but the gateway knows it as ${issuer}.`,
        "The issuer must match exactly: correct OIDC_DOMAIN, or the provider's own public address.",
      ),
    };
  }
  const methods = data.code_challenge_methods_supported;
  if (methods?.includes("S256") === false) {
    return {
      finding: failed(
        `The provider ${issuer} does not support PKCE with S256.`,
        "Enable it there: every login uses it.",
      ),
    };
  }
  return {
    finding: ok(`The provider is ${issuer}, and the client ${clientId}.`),
    metadata: data,
  };
}

function judgeKeys(reply: Reply): Finding | undefined {
  const isUsable = reply.answered && reply.status === 200 &&
    keySet.safeParse(reply.json).success;
  if (isUsable) return undefined;
  return failed(
    `Cannot fetch the provider's keys: ${
      reply.answered ? `status ${reply.status}` : reply.reason
    }.`,
    "The jwks_uri and token_endpoint in its metadata must be reachable from here.",
  );
}

/** Checks that browsers are sent to the public address, if one is configured. */
function judgePublic(
  { issuer, publicIssuer }: OidcSettings,
  { authorization_endpoint: endpoint }: Metadata,
): Finding | undefined {
  if (publicIssuer === undefined) return undefined;
  return publicEndpoint(endpoint, { issuer, publicIssuer })
      .startsWith(withoutSlash(publicIssuer))
    ? ok(`Browsers are sent to ${publicIssuer}.`)
    : warning(
      `OIDC_PUBLIC_DOMAIN has no effect: the provider sends browsers to ${endpoint}.`,
      "Remove it if browsers can reach that.",
    );
}

function withoutSlash(issuer: string): string {
  return issuer.replace(/\/$/, "");
}
