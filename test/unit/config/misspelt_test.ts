import { deepStrictEqual as deepEqual } from "node:assert/strict";
import { ALL_SETTINGS } from "../../../src/modules.ts";
import { findMisspelt } from "../../../src/config/misspelt.ts";

const NAMES = Object.keys(ALL_SETTINGS);

/** What is found if exactly these variables are set, each with the setting that is meant. */
function found(...set: string[]): string[] {
  return findMisspelt(NAMES, Object.fromEntries(set.map((name) => [name, ""])))
    .map(({ name, meant }) => `${name}: ${meant}`);
}

Deno.test("findMisspelt() finds a letter that is wrong, missing, doubled or swapped, and a plural", () => {
  for (
    const [name, meant] of [
      ["OIDC_DOMIAN", "OIDC_DOMAIN"],
      ["OIDC_DOMAN", "OIDC_DOMAIN"],
      ["OIDC_DOMMAIN", "OIDC_DOMAIN"],
      ["TRUSTED_PROXY", "TRUSTED_PROXIES"],
      ["TRUSTED_PROXYS", "TRUSTED_PROXIES"],
      ["ALLOWED_ORIGIN", "ALLOWED_ORIGINS"],
      ["LOGIN_ALLOWS", "LOGIN_ALLOW"],
      ["SESSION_SECRET", "SESSION_SECRETS"],
      ["PROXY_APIKEY", "PROXY_API_KEY"],
      ["PUBLI", "PUBLIC"],
      ["IODC_DOMAIN", "OIDC_DOMAIN"],
      ["PROXI_API_KEY", "PROXY_API_KEY"],
    ] as const
  ) deepEqual(found(name), [`${name}: ${meant}`]);
});

Deno.test("findMisspelt() takes no setting for another one's misspelling, and leaves other software's variables alone", () => {
  deepEqual(found(...NAMES), []);
  deepEqual(
    found(
      "PATH",
      "PORT",
      "MAKE",
      "API_KEY",
      "HTTP_PROXY",
      "NO_PROXY",
      "PROXY_TEMPLATE_URL",
      "PROXY_TOOLBOX_BASE_URL",
      "OIDC_ISSUER",
      "REDIS_URL",
      "COOKIE_DOMAIN",
      "WORKERS",
    ),
    [],
  );
});
