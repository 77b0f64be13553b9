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
  createOpenidProvider,
  type LoginAttempt,
  type OpenidProvider,
} from "../../src/auth/oidc/provider.ts";
import type { OidcSettings } from "../../src/directory/installation.ts";
import { describeError } from "../../src/lib/describe_error.ts";
import { ask, type Reply } from "./ask.ts";
import { within } from "./deadline.ts";
import { type Finding, findingsOf } from "./finding.ts";
import type { World } from "./world.ts";

const { ok, warning, failed } = findingsOf("provider discovery");

/** The provider's metadata (OpenID Connect Discovery 1.0 section 3), as far as a login needs it. */
const metadata = z.object({
  issuer: z.string(),
  authorization_endpoint: z.string(),
  token_endpoint: z.string(),
  jwks_uri: z.string(),
  code_challenge_methods_supported: z.array(z.string()).optional(),
});

type Metadata = z.infer<typeof metadata>;

const keySet = z.object({ keys: z.array(z.unknown()).min(1) });

/** What is known of the provider. */
export interface ProviderView {
  readonly findings: readonly Finding[];
  /** Undefined where no login can begin. */
  readonly provider?: OpenidProvider;
}

/** A login that nobody will finish. */
export function attemptFor(redirectUri: string): LoginAttempt {
  return {
    state: generateRandomState(),
    nonce: generateRandomNonce(),
    codeVerifier: generateRandomCodeVerifier(),
    redirectUri,
  };
}

/** Fetches what the provider says of itself, and lets the gateway's own code begin a login with it. */
export async function checkProvider(
  settings: OidcSettings | null,
  world: World,
): Promise<ProviderView> {
  if (settings === null) {
    return {
      findings: [warning(
        "No identity provider is configured, so nobody can log in; keys and signed links work.",
        "Set OIDC_DOMAIN and OIDC_CLIENT_ID, or the same in the API.",
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
  const provider = createOpenidProvider(settings, world.now);
  try {
    await within(
      world.deadline(),
      provider.authorizationUrl(attemptFor(issuer)),
    );
  } catch (error) {
    const text = `No login can begin: ${describeError(error)}.`;
    return {
      findings: [
        issuer.startsWith("http:") && !settings.allowInsecure
          ? failed(text, "Plain http needs OIDC_ALLOW_INSECURE=true.")
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

/** What the reply to the discovery request means. */
export function judgeDiscovery(
  { issuer, publicIssuer, clientId }: OidcSettings,
  reply: Reply,
): { readonly finding: Finding; readonly metadata?: Metadata } {
  if (!reply.answered) {
    return {
      finding: failed(
        `The provider ${issuer} is not reached: ${reply.reason}.`,
        "OIDC_DOMAIN is its address as this process reaches it, OIDC_PUBLIC_DOMAIN as browsers do.",
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
          : `${issuer} has no discovery document: status ${reply.status}.`,
        "OIDC_DOMAIN is the issuer with its whole path, such as https://id.example.com/realms/daytona.",
      ),
    };
  }
  const { data } = parsed;
  if (!isIssuer(data.issuer, { issuer, publicIssuer })) {
    return {
      finding: failed(
        `The provider calls itself ${data.issuer}, and the gateway knows it as ${issuer}.`,
        "The issuer must be the same to the letter: correct OIDC_DOMAIN, or the provider's own public address.",
      ),
    };
  }
  const methods = data.code_challenge_methods_supported;
  if (methods?.includes("S256") === false) {
    return {
      finding: failed(
        `The provider ${issuer} does not support PKCE with S256.`,
        "Turn it on there: every login uses it.",
      ),
    };
  }
  return {
    finding: ok(`${issuer} is the provider, for the client ${clientId}.`),
    metadata: data,
  };
}

function judgeKeys(reply: Reply): Finding | undefined {
  const isUsable = reply.answered && reply.status === 200 &&
    keySet.safeParse(reply.json).success;
  if (isUsable) return undefined;
  return failed(
    `The provider's keys cannot be had: ${
      reply.answered ? `status ${reply.status}` : reply.reason
    }.`,
    "The jwks_uri and token_endpoint that it announces must be reached from here.",
  );
}

/** Whether browsers are sent to the public address where one is configured. */
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
      "Leave it out if browsers reach that.",
    );
}

function withoutSlash(issuer: string): string {
  return issuer.replace(/\/$/, "");
}
