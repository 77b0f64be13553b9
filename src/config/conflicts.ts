/** Settings that are missing, or contradict each other. */
import { isExposedHttp } from "../http/url.ts";
import type { Environment, SettingProblem } from "./read_settings.ts";
import type { CoreValues as Values } from "./section.ts";
import { API_MEMORY_SEC, SETTINGS } from "./settings.ts";

/** How the two ways of running the gateway are told apart. */
const ONE_KEY =
  "exactly one of two: PROXY_API_KEY, the key of the proxy of a Daytona that you run, whose place the gateway takes; " +
  "or DAYTONA_API_KEY, an API key of your organization at a Daytona that somebody else runs, such as app.daytona.io";

/** What is required by which of the two keys is set, and the keys themselves. */
export function* missingSettings(
  env: Environment,
): Generator<SettingProblem> {
  const isSet = (name: keyof typeof SETTINGS) => Boolean(env[name]?.trim());
  const isHosted = isSet("DAYTONA_API_KEY");
  if (!isHosted && !isSet("DAYTONA_API_URL")) {
    const { allowed } = SETTINGS.DAYTONA_API_URL.format;
    yield problemOf("DAYTONA_API_URL", undefined, allowed);
  }
  if (isHosted && isSet("PROXY_API_KEY")) {
    yield problemOf("DAYTONA_API_KEY", "set beside PROXY_API_KEY", ONE_KEY);
  }
  if (!isHosted && !isSet("PROXY_API_KEY")) {
    yield problemOf("PROXY_API_KEY", undefined, ONE_KEY);
  }
  if (isHosted && !isSet("PROXY_DOMAIN")) {
    const allowed =
      "a domain of yours, such as preview.example.com, while DAYTONA_API_KEY is set";
    yield problemOf("PROXY_DOMAIN", undefined, allowed);
  }
}

function problemOf(
  name: keyof typeof SETTINGS,
  given: string | undefined,
  allowed: string,
): SettingProblem {
  return { name, given, allowed, purpose: SETTINGS[name].purpose };
}

/** Values that are valid individually, but not in combination. */
export function* conflicts(values: Values): Generator<SettingProblem> {
  const isHosted = values.DAYTONA_API_KEY !== undefined;
  if (isHosted && values.TOOLBOX_ONLY_MODE) {
    const allowed =
      "false while DAYTONA_API_KEY is set: toolboxes are not served then";
    yield problemOf("TOOLBOX_ONLY_MODE", '"true"', allowed);
  }
  const isAllowSet = values.LOGIN_ALLOW.length > 0;
  if (isAllowSet && !isHosted) {
    const allowed =
      "not set while PROXY_API_KEY is: Daytona's API says who has access then";
    yield problemOf("LOGIN_ALLOW", "set", allowed);
  }
  for (const name of ["OIDC_DOMAIN", "OIDC_CLIENT_ID"] as const) {
    const rule = isAllowSet ? "LOGIN_ALLOW" : "LOGIN_BY_LABEL";
    const isUsed = isHosted && (isAllowSet || values.LOGIN_BY_LABEL);
    if (!isUsed || values[name] !== undefined) continue;
    const { allowed } = SETTINGS[name].format;
    yield problemOf(name, undefined, `${allowed}, while ${rule} is set`);
  }
  if (values.COOKIE_SAMESITE === "none" && values.PROXY_PROTOCOL === "http") {
    const allowed = "lax while PROXY_PROTOCOL is http";
    yield problemOf("COOKIE_SAMESITE", '"none"', allowed);
  }
  for (const name of ["TLS_CERT_FILE", "TLS_KEY_FILE"] as const) {
    if (!values.ENABLE_TLS || values[name] !== undefined) continue;
    yield problemOf(name, undefined, "a path while ENABLE_TLS is true");
  }
  const { PUBLIC_TTL_SEC: ttl = 0, PRIVATE_WITHIN_SEC: within } = values;
  if (within !== undefined && ttl > within - API_MEMORY_SEC) {
    const allowed = `at most ${
      within - API_MEMORY_SEC
    } while PRIVATE_WITHIN_SEC is ${within}, as the API repeats an answer for ${API_MEMORY_SEC} s; or only one of the two`;
    yield problemOf("PUBLIC_TTL_SEC", JSON.stringify(String(ttl)), allowed);
  }
  const { BUFFER_BUDGET_BYTES: budget, MAX_MESSAGE_BYTES: longest } = values;
  if (longest !== undefined && budget < longest) {
    const allowed =
      `at least MAX_MESSAGE_BYTES, ${longest}: no message of that length could pass`;
    yield problemOf(
      "BUFFER_BUDGET_BYTES",
      JSON.stringify(`${budget}`),
      allowed,
    );
  }
  if (
    values.METRICS_PORT === values.PROXY_PORT && values.PROXY_PORT !== 0 &&
    mayCollide(values.METRICS_HOST ?? values.PROXY_HOST, values.PROXY_HOST)
  ) {
    const given = JSON.stringify(String(values.METRICS_PORT));
    yield problemOf("METRICS_PORT", given, "another port than PROXY_PORT");
  }
  const { OIDC_DOMAIN: issuer = "", OIDC_ALLOW_INSECURE } = values;
  if (isExposedHttp(issuer) && !OIDC_ALLOW_INSECURE) {
    const allowed =
      "an https URL, or plain http on this machine, while OIDC_ALLOW_INSECURE is false";
    yield problemOf("OIDC_DOMAIN", JSON.stringify(issuer), allowed);
  }
}

/** True if two addresses to listen on cannot both have the same port. */
function mayCollide(one: string, other: string): boolean {
  const anyAddress = ["0.0.0.0", "::"];
  return one === other || [one, other].some((it) => anyAddress.includes(it));
}
