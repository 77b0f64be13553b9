import assert from "node:assert/strict";
import {
  configAnswer,
  proxyDomainOf,
} from "../../../src/daytona/remote_config.ts";

Deno.test("proxyDomainOf() reads protocol, domain and port", () => {
  assert.deepEqual(
    proxyDomainOf("http://{{PORT}}-{{sandboxId}}.proxy.localhost:4000"),
    { protocol: "http", domain: "proxy.localhost", port: 4000 },
  );
  assert.deepEqual(
    proxyDomainOf("https://{{PORT}}-{{sandboxId}}.Proxy.Example.com/"),
    { protocol: "https", domain: "proxy.example.com", port: null },
  );
});

Deno.test("proxyDomainOf() returns null for another form", () => {
  const templates = [
    "",
    "https://proxy.example.com",
    "https://{{sandboxId}}-{{PORT}}.proxy.example.com",
    "https://proxy.example.com/{{PORT}}/{{sandboxId}}",
    "ftp://{{PORT}}-{{sandboxId}}.proxy.example.com",
    "https://{{PORT}}-{{sandboxId}}.",
    "https://{{PORT}}-{{sandboxId}}.a..b",
    "https://{{PORT}}-{{sandboxId}}.proxy.example.com:0",
    "https://{{PORT}}-{{sandboxId}}.proxy.example.com:65536",
    "https://{{PORT}}-{{sandboxId}}.proxy.example.com/path",
  ];
  for (const template of templates) {
    assert.equal(proxyDomainOf(template), null, template);
  }
});

Deno.test("configAnswer reads null for each part that is missing or unusable", () => {
  const nothing = {
    oidc: null,
    ssoOidc: null,
    proxyTemplateUrl: null,
    proxyToolboxUrl: null,
    dashboardUrl: null,
  };
  assert.deepEqual(configAnswer.parse({}), nothing);
  assert.deepEqual(
    configAnswer.parse({
      oidc: { issuer: "", clientId: "c", audience: "a" },
      ssoOidc: { issuer: "https://sso.example" },
      proxyTemplateUrl: "",
      proxyToolboxUrl: 7,
      dashboardUrl: "",
    }),
    nothing,
  );
});

Deno.test("configAnswer refuses anything but an object", () => {
  assert.equal(configAnswer.safeParse("<html>").success, false);
  assert.equal(configAnswer.safeParse(undefined).success, false);
});
