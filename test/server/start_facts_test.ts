import assert from "node:assert/strict";
import { parseConfig } from "../../src/config/config.ts";
import { startFacts } from "../../src/server/start_facts.ts";

function factsOf(env: Record<string, string>): Record<string, string> {
  const result = parseConfig({
    DAYTONA_API_URL: "https://daytona.test/api",
    PROXY_API_KEY: "a-secret",
    ...env,
  });
  if (!result.ok) assert.fail(JSON.stringify(result.problems));
  return startFacts(result.config, "1.2.3");
}

Deno.test("startFacts() tells what is configured and what the API tells, and no secret", () => {
  assert.deepEqual(factsOf({}), {
    version: "1.2.3",
    domains: "from the API",
    apiUrl: "https://daytona.test/api",
    cache: "kv:",
    issuer: "from the API",
  });
  const facts = factsOf({
    PROXY_DOMAIN: "preview.test,proxy.test:4000",
    OIDC_DOMAIN: "https://id.test",
    OIDC_CLIENT_SECRET: "a-secret",
    CACHE_URL: "rediss://user:a-secret@redis.test",
    SESSION_SECRETS: "a-secret".repeat(4),
  });
  assert.deepEqual(facts, {
    version: "1.2.3",
    domains: "preview.test,proxy.test:4000",
    apiUrl: "https://daytona.test/api",
    cache: "redis",
    issuer: "https://id.test",
  });
});
