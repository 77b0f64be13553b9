import type { Config } from "../../src/config/config.ts";
import { oddSettings, trustsEverybody } from "../../src/config/odd_settings.ts";
import { type Finding, findingsOf } from "./finding.ts";
import { isLocalhost } from "./public_base.ts";
import { suspectCut } from "./variables.ts";

const settings = findingsOf("settings");
const { ok, warning } = settings;

/** The minimum length of SESSION_SECRETS, characters. */
const MIN_SECRET_LENGTH = 32;

/** Finds settings that are allowed but unwise. */
export function judgeSettings(config: Config): Finding[] {
  const findings = [
    judgeSecret(config),
    judgeTrustedProxies(config),
    judgeProtocol(config),
    judgeFrames(config),
    judgeApiUrl(config),
    judgeIssuer(config),
    ...judgeOdd(config),
  ].filter((finding) => finding !== undefined);
  return findings.length > 0
    ? findings
    : [ok("Nothing in the settings looks unwise.")];
}

function judgeSecret({ daytona, session }: Config): Finding | undefined {
  const { serviceKey, mode } = daytona;
  const name = mode === "hosted" ? "DAYTONA_API_KEY" : "PROXY_API_KEY";
  return session.secrets.includes(serviceKey) &&
      serviceKey.length < MIN_SECRET_LENGTH
    ? warning(
      `Sessions are sealed with a ${name} of ${serviceKey.length} characters, which can be guessed.`,
      `Set SESSION_SECRETS to at least ${MIN_SECRET_LENGTH} random characters, such as the output of: openssl rand -hex 32. ${
        suspectCut(serviceKey)
      }`,
    )
    : undefined;
}

function judgeTrustedProxies({ listen, public: { protocol } }: Config):
  | Finding
  | undefined {
  return protocol === "https" && listen.tls === undefined &&
      listen.trustedProxies.length === 0
    ? warning(
      "TLS is terminated in front of the gateway, but TRUSTED_PROXIES is empty, so all visitors count as one client.",
      "Add the address of whatever terminates TLS to TRUSTED_PROXIES.",
    )
    : undefined;
}

function judgeProtocol(
  { listen, public: { protocol, domains } }: Config,
): Finding | undefined {
  if (protocol === "https") return undefined;
  if (listen.tls !== undefined) {
    return warning(
      "ENABLE_TLS is true but PROXY_PROTOCOL is http, so cookies are not marked Secure.",
      "Set PROXY_PROTOCOL=https.",
    );
  }
  return domains.every(({ name }) => isLocalhost(name)) ? undefined : warning(
    "PROXY_PROTOCOL is http, so sessions and keys are sent in the clear.",
    "That is fine for a trial; otherwise terminate TLS in front and set PROXY_PROTOCOL=https.",
  );
}

function judgeFrames(
  { session, public: { allowedOrigins } }: Config,
): Finding | undefined {
  return session.sameSite === "none" && allowedOrigins.length === 0
    ? warning(
      "COOKIE_SAMESITE is none but ALLOWED_ORIGINS is empty, so no other site may use a session in its frames.",
      "List in ALLOWED_ORIGINS the origins whose pages frame private previews, or leave COOKIE_SAMESITE at lax.",
    )
    : undefined;
}

/** URLs of hosts on this machine, in its private network or in its cluster. */
const PRIVATE =
  /^http:\/\/(?:localhost|[^.:/]+|127\.\d+\.\d+\.\d+|10\.\d+\.\d+\.\d+|192\.168\.\d+\.\d+|172\.(?:1[6-9]|2\d|3[01])\.\d+\.\d+|\[::1\]|\[f[cd][^\]]*\]|[^/:]+\.(?:local|internal|svc))(?:[:/]|$)/i;

function isExposed(url: string | undefined): boolean {
  return url !== undefined && url.startsWith("http:") && !PRIVATE.test(url);
}

function judgeApiUrl({ daytona: { apiUrl } }: Config): Finding | undefined {
  return isExposed(apiUrl)
    ? warning(
      "DAYTONA_API_URL is plain http, so the gateway's key is sent in the clear.",
      "Use https unless you control the network in between.",
    )
    : undefined;
}

function judgeIssuer({ oidc }: Config): Finding | undefined {
  return oidc.allowInsecure && isExposed(oidc.issuer)
    ? warning(
      "OIDC_DOMAIN is plain http, so anyone on the network path can log in as anybody.",
      "Use https unless you control the network in between.",
    )
    : undefined;
}

/** What the start warns of, too; where anybody can claim any address, no limit for one client counts. */
function judgeOdd(config: Config): Finding[] {
  const worst = trustsEverybody(config)?.finding;
  return oddSettings(config).map(({ finding, advice }) => {
    const judge = finding === worst ? settings.failed : warning;
    return judge(`${finding}.`, `${capitalized(advice)}.`);
  });
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
