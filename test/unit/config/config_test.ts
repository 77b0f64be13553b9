import {
  deepStrictEqual as deepEqual,
  match,
  ok,
  strictEqual as equal,
  throws,
} from "node:assert/strict";
import {
  type CacheLocation,
  type Config,
  formatProblems,
  parseConfig,
  SETTINGS,
} from "../../../src/config/config.ts";
import { linuxFlag } from "../../../src/config/formats.ts";
import { EVERYBODY } from "../../../src/config/port_rules.ts";
import purposes from "../../../src/config/purposes.json" with { type: "json" };
import { SECTIONS } from "../../../src/modules.ts";
import { configOf, HOSTED_REQUIRED, REQUIRED } from "../../support/config.ts";

function problemsOf(env: Record<string, string>): string[] {
  const result = parseConfig({ ...REQUIRED, ...env }, SECTIONS);
  return result.ok ? [] : result.problems.map(({ name }) => name);
}

Deno.test("parseConfig() needs nothing but the API's address and the key", () => {
  const { sections: _, ...config } = configOf({});
  deepEqual(config, {
    listen: {
      hostname: "0.0.0.0",
      port: 4000,
      reusePort: false,
      trustedProxies: [],
      tls: undefined,
    },
    public: {
      protocol: "https",
      domains: [],
      allowedOrigins: [],
      corsMode: "auto",
      edgeCache: "off",
      frameAncestors: undefined,
      appOrigin: "auto",
      sandboxes: "api",
      ports: { ceiling: new Map([["*", EVERYBODY]]), labelsOpen: false },
      toolboxTakesPreviewToken: true,
      toolboxOnly: false,
    },
    daytona: {
      mode: "proxy",
      apiUrl: "http://127.0.0.1/api",
      serviceKey: "key",
      timeoutMs: 10_000,
    },
    cache: {
      location: { kind: "kv", path: undefined },
      maxEntries: 10_000,
      runnerTtlMs: 120_000,
      privateWithinMs: 10_000,
      publicTtlMs: undefined,
      tokenTtlMs: 120_000,
      tokenRefusedTtlMs: 5_000,
      signedTokenTtlMs: 5_000,
      staleIfErrorMs: 600_000,
      tokenStaleIfErrorMs: 0,
    },
    records: {
      location: { kind: "kv", path: undefined },
      staleIfErrorMs: 300_000,
    },
    session: {
      secrets: ["key"],
      ttlMs: 3_600_000,
      scope: "sandbox",
      sameSite: "lax",
    },
    oidc: {
      clientId: undefined,
      clientSecret: undefined,
      issuer: undefined,
      publicIssuer: undefined,
      audience: undefined,
      scope: "openid profile email",
      allowInsecure: false,
    },
    login: { allow: undefined, groupsClaim: "groups", byLabel: false },
    upstream: {
      connectTimeoutMs: 10_000,
      headerTimeoutMs: 300_000,
      idleTimeoutMs: 30_000,
    },
    limits: {
      concurrentExchanges: 10_000,
      exchangesPerSandbox: 1_000,
      tunnelsPerSandbox: 625,
      exchangesPerOrganization: undefined,
      waitingPerRunner: 2_500,
      tunnels: 5_000,
      exchangesPerClient: 1_000,
      tunnelsPerClient: 500,
      targetBytes: 32_768,
      headerBytes: 32_768,
      headerFields: 100,
      bodyIdleTimeoutMs: 300_000,
      messageBytes: 16_777_216,
      bufferBudgetBytes: 67_108_864,
      tunnelBufferBytes: 16_777_216,
      shutdownDelayMs: 5_000,
      shutdownTimeoutMs: 3_600_000,
      refusalsPerMinute: 300,
      lookupsPerClient: 500,
    },
    log: {
      level: "info",
      format: "json",
      clientAddress: false,
      subject: "hash",
      access: 1,
      audit: true,
    },
    traceApps: false,
    metrics: undefined,
  });
});

Deno.test("parseConfig() leaves one sandbox, client or runner a part of the limits of the process, unless told otherwise", () => {
  for (
    const [total, tunnels, parts] of [
      ["400", "5000", [106, 625, 106, 100, 53]],
      ["480", "300", [128, 37, 128, 120, 37]],
      ["1000", "300", [200, 37, 200, 250, 37]],
      ["4000", "5000", [500, 625, 500, 1000, 250]],
      ["100000", "50000", [1000, 6250, 1000, 25_000, 500]],
      ["1", "1", [1, 1, 1, 1, 1]],
    ] as const
  ) {
    const { limits } = configOf({
      MAX_CONCURRENT_EXCHANGES: total,
      MAX_TUNNELS: tunnels,
    });
    deepEqual([
      limits.exchangesPerSandbox,
      limits.tunnelsPerSandbox,
      limits.exchangesPerClient,
      limits.waitingPerRunner,
      limits.tunnelsPerClient,
    ], parts);
  }
  const { limits } = configOf({ MAX_EXCHANGES_PER_CLIENT: "40" });
  deepEqual(limits.tunnelsPerClient, 20);
});

Deno.test("parseConfig() reads every variable into its member", async (t) => {
  const secret = "s".repeat(32);
  const local = {
    kind: "redis",
    topology: "primary",
    nodes: [{ hostname: "127.0.0.1", port: 6379 }],
    primary: "",
    tls: false,
    caFile: undefined,
    username: undefined,
    password: undefined,
    database: 0,
  } satisfies CacheLocation;
  const isLinux = Deno.build.os === "linux";
  const redis = { REDIS_HOST: "127.0.0.1" };
  const tls = { ENABLE_TLS: "true", TLS_CERT_FILE: "/c", TLS_KEY_FILE: "/k" };
  const tlsOf = (c: Config) => c.listen.tls;
  const cacheOf = (c: Config) => c.cache.location;
  const files = { certFile: "/c", keyFile: "/k" };
  const cases: [
    name: string,
    text: string,
    read: (config: Config) => unknown,
    expected: unknown,
    beside?: Record<string, string>,
  ][] = [
    ["PROXY_HOST", "::1", (c) => c.listen.hostname, "::1"],
    ["PROXY_PORT", "8080", (c) => c.listen.port, 8080],
    ["PROXY_PORT", "0", (c) => c.listen.port, 0],
    ["REUSE_PORT", `${isLinux}`, (c) => c.listen.reusePort, isLinux],
    [
      "TRUSTED_PROXIES",
      "10.0.0.0/8, 192.0.2.7,2001:db8::1",
      (c) => c.listen.trustedProxies,
      ["10.0.0.0/8", "192.0.2.7/32", "2001:db8::1/128"],
    ],
    ["PROXY_PROTOCOL", "http", (c) => c.public.protocol, "http"],
    [
      "PROXY_DOMAIN",
      "Preview.Example.com, proxy.localhost:4000,",
      (c) => c.public.domains,
      [{ name: "preview.example.com", port: undefined }, {
        name: "proxy.localhost",
        port: 4000,
      }],
    ],
    [
      "ALLOWED_ORIGINS",
      "https://App.example.com,http://localhost:3000",
      (c) => c.public.allowedOrigins,
      ["https://app.example.com", "http://localhost:3000"],
    ],
    [
      "FRAME_ANCESTORS",
      "https://App.example.com/, http://localhost:5173,http://a.localhost:1",
      (c) => c.public.frameAncestors,
      [
        "https://app.example.com",
        "http://localhost:5173",
        "http://a.localhost:1",
      ],
    ],
    ["FRAME_ANCESTORS", "none", (c) => c.public.frameAncestors, []],
    ["FRAME_ANCESTORS", "", (c) => c.public.frameAncestors, undefined],
    [
      "DAYTONA_API_URL",
      "http://10.0.0.1:3000/api//",
      (c) => c.daytona.apiUrl,
      "http://10.0.0.1:3000/api",
    ],
    [
      "DAYTONA_API_URL",
      "https://api.example.com",
      (c) => c.daytona.apiUrl,
      "https://api.example.com",
    ],
    ["PROXY_API_KEY", " padded ", (c) => c.daytona.serviceKey, "padded"],
    [
      "DAYTONA_API_KEY",
      "dtn_key",
      (c) => c.daytona.serviceKey,
      "dtn_key",
      { PROXY_API_KEY: "", PROXY_DOMAIN: "preview.example.com" },
    ],
    ["API_CLIENT_TIMEOUT_SEC", "60", (c) => c.daytona.timeoutMs, 60_000],
    ["RECORDS_URL", "none", (c) => c.records.location, { kind: "none" }],
    ["CACHE_URL", "kv:a", (c) => c.records.location, { kind: "kv", path: "a" }],
    ["REDIS_HOST", "127.0.0.1", (c) => c.records.location, local],
    ["CACHE_URL", "none", (c) => c.cache.location, { kind: "none" }],
    ["CACHE_URL", "kv:./data/kv.db", (c) => c.cache.location, {
      kind: "kv",
      path: "./data/kv.db",
    }],
    ["CACHE_URL", "kv::memory:", (c) => c.cache.location, {
      kind: "kv",
      path: ":memory:",
    }],
    ["CACHE_URL", "https://kv.example.com/db", (c) => c.cache.location, {
      kind: "kv-connect",
      url: "https://kv.example.com/db",
    }],
    ["CACHE_URL", "http://127.0.0.1:4512", (c) => c.cache.location, {
      kind: "kv-connect",
      url: "http://127.0.0.1:4512",
    }],
    ["CACHE_URL", "redis://127.0.0.1", (c) => c.cache.location, local],
    ["CACHE_URL", "none", (c) => c.cache.location, { kind: "none" }, redis],
    ["CACHE_URL", "rediss://a%40b:p%2Fw@[::1]:1/3", (c) => c.cache.location, {
      ...local,
      nodes: [{ hostname: "::1", port: 1 }],
      tls: true,
      username: "a@b",
      password: "p/w",
      database: 3,
    }],
    ["CACHE_URL", "redis+cluster://u:p@127.0.0.1,b:7000", cacheOf, {
      ...local,
      topology: "cluster",
      nodes: [...local.nodes, { hostname: "b", port: 7000 }],
      username: "u",
      password: "p",
    }],
    ["CACHE_URL", "rediss+sentinel://a,[::1]:1/my.primary/2", cacheOf, {
      ...local,
      topology: "sentinel",
      nodes: [{ hostname: "a", port: 26379 }, { hostname: "::1", port: 1 }],
      primary: "my.primary",
      tls: true,
      database: 2,
    }],
    ["REDIS_CA_FILE", "/ca.pem", cacheOf, {
      ...local,
      caFile: "/ca.pem",
    }, redis],
    ["REDIS_HOST", "127.0.0.1", (c) => c.cache.location, local],
    ["REDIS_PORT", "1", cacheOf, {
      ...local,
      nodes: [{ hostname: "127.0.0.1", port: 1 }],
    }, redis],
    ["REDIS_USERNAME", "u", (c) => c.cache.location, {
      ...local,
      username: "u",
    }, redis],
    ["REDIS_PASSWORD", "p", (c) => c.cache.location, {
      ...local,
      password: "p",
    }, redis],
    ["REDIS_TLS", "true", (c) => c.cache.location, {
      ...local,
      tls: true,
    }, redis],
    ["ENABLE_TLS", "true", tlsOf, files, tls],
    ["ENABLE_TLS", "false", tlsOf, undefined, tls],
    ["TLS_CERT_FILE", "/x", tlsOf, { ...files, certFile: "/x" }, tls],
    ["TLS_KEY_FILE", "/x", tlsOf, { ...files, keyFile: "/x" }, tls],
    ["TOOLBOX_ONLY_MODE", "true", (c) => c.public.toolboxOnly, true],
    [
      "TOOLBOX_TAKES_PREVIEW_TOKEN",
      "false",
      (c) => c.public.toolboxTakesPreviewToken,
      false,
    ],
    ["METRICS_PORT", "9090", (c) => c.metrics, {
      hostname: "0.0.0.0",
      port: 9090,
    }],
    ["METRICS_HOST", "127.0.0.1", (c) => c.metrics, {
      hostname: "127.0.0.1",
      port: 9090,
    }, { METRICS_PORT: "9090" }],
    ["METRICS_PORT", "4000", (c) => c.metrics?.port, 4000, {
      PROXY_HOST: "10.0.0.1",
      METRICS_HOST: "127.0.0.1",
    }],
    ["SHUTDOWN_DELAY_SEC", "0", (c) => c.limits.shutdownDelayMs, 0],
    ["CACHE_MAX_ENTRIES", "5", (c) => c.cache.maxEntries, 5],
    ["RUNNER_TTL_SEC", "1", (c) => c.cache.runnerTtlMs, 1_000],
    ["PRIVATE_WITHIN_SEC", "5", (c) => c.cache.privateWithinMs, 5_000],
    ["PUBLIC_TTL_SEC", "2", (c) => c.cache.publicTtlMs, 2_000],
    ["TOKEN_TTL_SEC", "3", (c) => c.cache.tokenTtlMs, 3_000],
    ["TOKEN_REFUSED_TTL_SEC", "4", (c) => c.cache.tokenRefusedTtlMs, 4_000],
    ["SIGNED_TOKEN_TTL_SEC", "6", (c) => c.cache.signedTokenTtlMs, 6_000],
    ["RECORDS_STALE_IF_ERROR_SEC", "0", (c) => c.records.staleIfErrorMs, 0],
    ["STALE_IF_ERROR_SEC", "0", (c) => c.cache.staleIfErrorMs, 0],
    [
      "TOKEN_STALE_IF_ERROR_SEC",
      "7",
      (c) => c.cache.tokenStaleIfErrorMs,
      7_000,
    ],
    ["SESSION_SECRETS", `${secret},${secret}2`, (c) => c.session.secrets, [
      secret,
      `${secret}2`,
    ]],
    ["SESSION_TTL_SEC", "60", (c) => c.session.ttlMs, 60_000],
    [
      "UPSTREAM_CONNECT_TIMEOUT_SEC",
      "1",
      (c) => c.upstream.connectTimeoutMs,
      1_000,
    ],
    [
      "UPSTREAM_HEADER_TIMEOUT_SEC",
      "2",
      (c) => c.upstream.headerTimeoutMs,
      2_000,
    ],
    [
      "UPSTREAM_HEADER_TIMEOUT_SEC",
      "0",
      (c) => c.upstream.headerTimeoutMs,
      0,
    ],
    ["UPSTREAM_IDLE_TIMEOUT_SEC", "3", (c) => c.upstream.idleTimeoutMs, 3_000],
    ["MAX_CONCURRENT_EXCHANGES", "1", (c) => c.limits.concurrentExchanges, 1],
    ["MAX_MESSAGE_BYTES", "65536", (c) => c.limits.messageBytes, 65_536],
    [
      "BUFFER_BUDGET_BYTES",
      "1048576",
      (c) => c.limits.bufferBudgetBytes,
      1_048_576,
    ],
    ["BUFFER_BUDGET_BYTES", "1048576", (c) => c.limits.messageBytes, 786_432],
    [
      "BUFFER_BUDGET_BYTES",
      "33554432",
      (c) => c.limits.messageBytes,
      16_777_216,
    ],
    ["TUNNEL_BUFFER_BYTES", "65536", (c) => c.limits.tunnelBufferBytes, 65_536],
    ["SHUTDOWN_TIMEOUT_SEC", "0", (c) => c.limits.shutdownTimeoutMs, 0],
    ["CORS_MODE", "off", (c) => c.public.corsMode, "off"],
    ["EDGE_CACHE", "public", (c) => c.public.edgeCache, "public"],
    ["APP_ORIGIN", "local", (c) => c.public.appOrigin, "local"],
    ["PUBLIC", "never", (c) => c.public.sandboxes, "never"],
    [
      "PORT_POLICY",
      "80=off",
      (c) => c.public.ports.ceiling,
      new Map([[80, 0]]),
    ],
    ["PORT_POLICY_OPENS", "true", (c) => c.public.ports.labelsOpen, true],
    ["LOGIN_BY_LABEL", "true", (c) => c.login.byLabel, true],
    ["SESSION_SCOPE", "host", (c) => c.session.scope, "host"],
    ["COOKIE_SAMESITE", "none", (c) => c.session.sameSite, "none"],
    [
      "OIDC_DOMAIN",
      "https://id.example.com/realms/r/",
      (c) => c.oidc.issuer,
      "https://id.example.com/realms/r",
    ],
    [
      "OIDC_PUBLIC_DOMAIN",
      "https://login.example.com",
      (c) => c.oidc.publicIssuer,
      "https://login.example.com",
    ],
    ["OIDC_CLIENT_ID", "porthole", (c) => c.oidc.clientId, "porthole"],
    ["OIDC_CLIENT_SECRET", "s3cret", (c) => c.oidc.clientSecret, "s3cret"],
    ["OIDC_AUDIENCE", "api", (c) => c.oidc.audience, "api"],
    ["OIDC_SCOPE", "openid x", (c) => c.oidc.scope, "openid x"],
    ["OIDC_GROUPS_CLAIM", "roles", (c) => c.login.groupsClaim, "roles"],
    [
      "LOGIN_ALLOW",
      "Ann@Example.com, @example.org, group:staff",
      (c) => c.login.allow,
      {
        emails: ["ann@example.com"],
        domains: ["example.org"],
        groups: ["staff"],
      },
      {
        PROXY_API_KEY: "",
        ...HOSTED_REQUIRED,
        OIDC_DOMAIN: "https://id.example.com",
        OIDC_CLIENT_ID: "porthole",
      },
    ],
    ["OIDC_ALLOW_INSECURE", "true", (c) => c.oidc.allowInsecure, true],
    ["MAX_EXCHANGES_PER_SANDBOX", "7", (c) => c.limits.exchangesPerSandbox, 7],
    ["MAX_EXCHANGES_PER_SANDBOX", "7", (c) => c.limits.tunnelsPerSandbox, 7],
    [
      "MAX_EXCHANGES_PER_ORGANIZATION",
      "7",
      (c) => c.limits.exchangesPerOrganization,
      7,
    ],
    ["MAX_WAITING_PER_RUNNER", "7", (c) => c.limits.waitingPerRunner, 7],
    ["MAX_TUNNELS", "7", (c) => c.limits.tunnels, 7],
    [
      "MAX_EXCHANGES_PER_CLIENT",
      "7",
      (c) => c.limits.exchangesPerClient,
      7,
    ],
    ["MAX_TUNNELS_PER_CLIENT", "7", (c) => c.limits.tunnelsPerClient, 7],
    ["MAX_TARGET_BYTES", "1000", (c) => c.limits.targetBytes, 1000],
    ["MAX_HEADER_BYTES", "1000", (c) => c.limits.headerBytes, 1000],
    ["MAX_HEADER_FIELDS", "10", (c) => c.limits.headerFields, 10],
    ["BODY_IDLE_TIMEOUT_SEC", "0", (c) => c.limits.bodyIdleTimeoutMs, 0],
    ["REFUSALS_PER_MINUTE", "7", (c) => c.limits.refusalsPerMinute, 7],
    ["MAX_LOOKUPS_PER_CLIENT", "7", (c) => c.limits.lookupsPerClient, 7],
    ["MAX_EXCHANGES_PER_CLIENT", "7", (c) => c.limits.lookupsPerClient, 4],
    ["LOG_LEVEL", "debug", (c) => c.log.level, "debug"],
    ["LOG_LEVEL", "warn", (c) => c.log.level, "warning"],
    ["LOG_FORMAT", "pretty", (c) => c.log.format, "pretty"],
    ["LOG_CLIENT_ADDRESS", "true", (c) => c.log.clientAddress, true],
    ["LOG_SUBJECT", "off", (c) => c.log.subject, "off"],
    ["ACCESS_LOG", "all", (c) => c.log.access, 1],
    ["ACCESS_LOG", "errors", (c) => c.log.access, "errors"],
    ["ACCESS_LOG", "off", (c) => c.log.access, "off"],
    ["ACCESS_LOG", "1/100", (c) => c.log.access, 100],
    ["AUDIT_LOG", "false", (c) => c.log.audit, false],
    ["TRACE_APPS", "true", (c) => c.traceApps, true],
  ];
  for (const [name, text, read, expected, beside] of cases) {
    await t.step(
      `${name}=${text}`,
      () => deepEqual(read(configOf({ ...beside, [name]: text })), expected),
    );
  }
  await t.step("this table has every setting", () => {
    deepEqual(
      new Set(cases.map(([name]) => name)),
      new Set(Object.keys(SETTINGS)),
    );
  });
});

Deno.test("parseConfig() refuses invalid values", async (t) => {
  const cases: Record<string, string[]> = {
    PROXY_HOST: [
      "0.0.0.0:80",
      "a b",
      "300.0.0.1",
      "10",
      "0x7f",
      "fe80::1%eth0",
      "-a",
    ],
    PROXY_PORT: ["65536", "-1", "+80", "0x50", "1e3", "80.0", "8 0", "four"],
    TRUSTED_PROXIES: [
      "10.0.0.0/33",
      "10.0.0.0/-1",
      "10",
      "0x7f.1",
      "10.0.0.0/8/8",
      "lb.internal",
      "::1/129",
      "10.0.0.0/ 8",
    ],
    REUSE_PORT: ["yes", "1", ...Deno.build.os === "linux" ? [] : ["true"]],
    PROXY_PROTOCOL: ["HTTP", "https://", "ftp"],
    PROXY_DOMAIN: [
      ".example.com",
      "example.com.",
      "https://example.com",
      "example..com",
      "*.example.com",
      "example.com/x",
      "example.com:0",
      "example.com:70000",
      "example.com:",
      "10.0.0.1",
      "10.0.0.1:80",
      "0x0",
      "example.0X7f:80",
      "0x",
      "-a.com",
      "a_b.com",
      `${"a".repeat(64)}.com`,
      `${"abcdefgh.".repeat(21)}com`,
      "good.example.com,bad..example.com",
    ],
    FRAME_ANCESTORS: [
      "*",
      "'self'",
      "none,https://app.example.com",
      "https://app.example.com/x",
      // A policy would take them for others, too, or for none.
      "https://*.example.com",
      "https://app.example.com,https://*",
      "https://a.example.",
      "https://[::1]",
      "http://plain.example",
      "http://plain.example:8080",
      "http://localhost",
      "http://*.localhost:5173",
    ],
    ALLOWED_ORIGINS: [
      "*",
      "null",
      "app.example.com",
      "https://app.example.com/x",
      "https://u@app.example.com",
      "ftp://a",
    ],
    DAYTONA_API_URL: [
      "api.example.com",
      "/api",
      "ftp://api.example.com",
      "https://",
      "https://u:p@api.example.com",
      "https://u@api.example.com",
      "https://api.example.com?x",
      "https://api.example.com/api?",
      "https://api.example.com#x",
    ],
    PROXY_API_KEY: ["two words", "caf\u00e9", "a\nb"],
    DAYTONA_API_KEY: ["two words", "caf\u00e9", "a\nb"],
    API_CLIENT_TIMEOUT_SEC: ["0", "2147484", "1.5", "10s"],
    CACHE_URL: [
      "redis://",
      "redis://localhost/x",
      "redis://localhost?db=1",
      "redis://%zz@localhost",
      "redis://a,b",
      "redis+cluster://a/1",
      "redis+cluster://a,",
      "redis+sentinel://a",
      "redis+sentinel://a/b c",
      "redis+ring://a",
      "http://kv.example.com",
      "https://",
      "memory",
      "kv",
      "NONE",
    ],
    RECORDS_URL: ["redis://", "memory"],
    CACHE_MAX_ENTRIES: ["0", "10000001"],
    REDIS_HOST: ["redis:6379", "a b"],
    REDIS_PORT: ["0", "65536"],
    REDIS_TLS: ["yes"],
    METRICS_PORT: ["65536", "x", "4000"],
    METRICS_HOST: ["a b", "300.0.0.1"],
    SHUTDOWN_DELAY_SEC: ["601"],
    SESSION_SECRETS: ["short", `${"s".repeat(32)},short`],
    SESSION_TTL_SEC: ["59", "2147484", "99999999999999999999"],
    RUNNER_TTL_SEC: ["0"],
    MAX_EXCHANGES_PER_CLIENT: ["0", "-1"],
    MAX_TUNNELS_PER_CLIENT: ["0", "many"],
    MAX_MESSAGE_BYTES: ["65535", "67108865", "16MiB"],
    BUFFER_BUDGET_BYTES: ["1048575", "64MiB"],
    TUNNEL_BUFFER_BYTES: ["65535", "1073741825", "16MiB"],
    LOG_LEVEL: ["verbose", "INFO"],
    SESSION_SCOPE: ["port", "Host"],
    LOG_FORMAT: ["text"],
    LOG_SUBJECT: ["sub", "true"],
    ACCESS_LOG: ["none", "1/0", "2/3", "0.5"],
    AUDIT_LOG: ["info"],
    TRACE_APPS: ["yes"],
  };
  for (const [name, texts] of Object.entries(cases)) {
    for (const text of texts) {
      await t.step(
        `${name}=${text}`,
        () =>
          deepEqual(problemsOf({ PROXY_DOMAIN: "a.test", [name]: text }), [
            name,
          ]),
      );
    }
  }
});

Deno.test("linuxFlag() refuses true, and says why, on another system than Linux", () => {
  for (
    const [os, text, accepted] of [
      ["linux", "true", true],
      ["linux", "false", true],
      ["darwin", "true", false],
      ["darwin", "false", true],
      ["windows", "true", false],
    ] as const
  ) {
    const { schema, allowed } = linuxFlag(os);
    equal(schema.safeParse(text).success, accepted, `${text} on ${os}`);
    match(allowed, /true on Linux only/);
  }
});

Deno.test("parseConfig() limits durations to what a timer supports", () => {
  const config = configOf({ SESSION_TTL_SEC: "2147483" });

  ok(config.session.ttlMs <= 2 ** 31 - 1);
});

Deno.test("parseConfig() treats an empty or blank variable as unset", () => {
  equal(configOf({ PROXY_PORT: "", LOG_LEVEL: "  " }).listen.port, 4000);
  deepEqual(problemsOf({ PROXY_API_KEY: " " }), ["PROXY_API_KEY"]);
});

Deno.test("parseConfig() ignores unknown variables", () => {
  deepEqual(configOf({ PATH: "/bin", PROXY_PORTS: "x" }), configOf({}));
});

Deno.test("parseConfig() freezes the configuration deeply", () => {
  const config = configOf({ PROXY_DOMAIN: "example.com" });

  ok(Object.isFrozen(config));
  ok(Object.isFrozen(config.public.domains[0]));
  throws(() => Object.assign(config.listen, { port: 1 }), TypeError);
});

Deno.test("parseConfig() reports every problem at once, each with the given value", () => {
  const result = parseConfig({
    PROXY_PORT: "80a",
    LOG_LEVEL: "loud",
    DAYTONA_API_URL: "https://api.example.com",
  }, SECTIONS);

  ok(!result.ok);
  deepEqual(
    result.problems.map(({ name, given }) => [name, given]),
    [["PROXY_API_KEY", undefined], ["PROXY_PORT", '"80a"'], [
      "LOG_LEVEL",
      '"loud"',
    ]],
  );
});

Deno.test("a budget below the longest message stops the start with both numbers if both are set, beside other conflicts", () => {
  const result = parseConfig({
    ...REQUIRED,
    BUFFER_BUDGET_BYTES: "1048576",
    MAX_MESSAGE_BYTES: "1048577",
    METRICS_PORT: "4000",
  }, SECTIONS);
  ok(!result.ok);
  deepEqual(
    result.problems.map(({ name, given, allowed }) => [name, given, allowed]),
    [
      [
        "BUFFER_BUDGET_BYTES",
        '"1048576"',
        "at least MAX_MESSAGE_BYTES, 1048577: no message of that length could pass",
      ],
      ["METRICS_PORT", '"4000"', "another port than PROXY_PORT"],
    ],
  );
  configOf({ BUFFER_BUDGET_BYTES: "1048576", MAX_MESSAGE_BYTES: "1048576" });
});

Deno.test("parseConfig() never repeats a secret in a problem", () => {
  const result = parseConfig({
    DAYTONA_API_URL: "https://user:hunter2@api.example.com",
    PROXY_API_KEY: "hunter2 hunter2",
    SESSION_SECRETS: "hunter2",
    OIDC_CLIENT_SECRET: "hunter2 hunter2",
  }, SECTIONS);

  ok(!result.ok);
  equal(result.problems.length, 4);
  ok(!formatProblems(result.problems).includes("hunter2"));
});

Deno.test("the purposes are those of the settings, in their order, each a sentence", () => {
  deepEqual(Object.keys(purposes), Object.keys(SETTINGS));
  for (const purpose of Object.values(purposes)) match(purpose, /^[A-Z].*\.$/);
});

Deno.test("formatProblems() lists missing variables with their purpose, and points to docs/settings.md and the demo", () => {
  const result = parseConfig({}, SECTIONS);

  ok(!result.ok);
  const text = formatProblems(result.problems);
  for (const name of ["DAYTONA_API_URL", "PROXY_API_KEY"] as const) {
    ok(new RegExp(`^  ${name} +is not set$`, "m").test(text), text);
    ok(text.includes(SETTINGS[name].purpose));
  }
  ok(text.includes("docs/settings.md"));
  ok(text.includes("scripts/demo.ts"));
});

Deno.test("with an organization's key, the API is that of app.daytona.io, and the key seals sessions", () => {
  const result = parseConfig(HOSTED_REQUIRED, SECTIONS);
  ok(result.ok);
  const { daytona, session } = result.config;
  deepEqual(daytona, {
    mode: "hosted",
    apiUrl: "https://app.daytona.io/api",
    serviceKey: "dtn_organization",
    timeoutMs: 10_000,
  });
  deepEqual(session.secrets, ["dtn_organization"]);
});

Deno.test("exactly one of the two keys is required, and the report explains the two modes", () => {
  const DAYTONA_API_URL = "http://127.0.0.1/api";
  for (
    const env of [
      { DAYTONA_API_URL },
      { ...HOSTED_REQUIRED, DAYTONA_API_URL, PROXY_API_KEY: "hunter2" },
    ]
  ) {
    const result = parseConfig(env, SECTIONS);
    ok(!result.ok);
    equal(result.problems.length, 1);
    const text = formatProblems(result.problems);
    for (const part of ["a Daytona that you run", "app.daytona.io"]) {
      ok(text.includes(part), text);
    }
    ok(!text.includes("hunter2"), text);
  }
});

Deno.test("an organization's key requires a domain, and excludes what only a proxy of Daytona's can do", () => {
  const without = parseConfig(
    { DAYTONA_API_KEY: "dtn_organization" },
    SECTIONS,
  );
  ok(!without.ok);
  deepEqual(without.problems.map(({ name }) => name), ["PROXY_DOMAIN"]);
  for (
    const [name, value] of [
      ["TOOLBOX_ONLY_MODE", "true"],
    ] as const
  ) {
    const result = parseConfig({ ...HOSTED_REQUIRED, [name]: value }, SECTIONS);
    ok(!result.ok, name);
    deepEqual(result.problems.map(({ name }) => name), [name]);
  }
});

Deno.test("a rule about logins needs a provider of the operator's own, and counts only where Daytona's API cannot tell", () => {
  const LOGIN_ALLOW = "@example.com";
  deepEqual(problemsOf({ LOGIN_ALLOW }), ["LOGIN_ALLOW"]);
  for (const rule of [{ LOGIN_ALLOW }, { LOGIN_BY_LABEL: "true" }]) {
    const result = parseConfig({ ...HOSTED_REQUIRED, ...rule }, SECTIONS);
    ok(!result.ok);
    deepEqual(result.problems.map(({ name }) => name), [
      "OIDC_DOMAIN",
      "OIDC_CLIENT_ID",
    ]);
    match(
      result.problems[0]?.allowed ?? "",
      new RegExp(Object.keys(rule).join()),
    );
  }
  deepEqual(problemsOf({ LOGIN_BY_LABEL: "true" }), []);
  deepEqual(problemsOf({ LOGIN_ALLOW: "example.com,*" }), ["LOGIN_ALLOW"]);
});

Deno.test("formatProblems() escapes control characters and truncates long values", () => {
  const result = parseConfig({
    ...REQUIRED,
    LOG_LEVEL: `\u001b[31m${"x".repeat(500)}`,
  }, SECTIONS);

  ok(!result.ok);
  const text = formatProblems(result.problems);
  ok(text.includes("\\u001b[31m"));
  ok(!text.includes("x".repeat(200)));
});

Deno.test("parseConfig() refuses SameSite=None over plain http, where no browser keeps such cookies", () => {
  const env = { COOKIE_SAMESITE: "none", PROXY_PROTOCOL: "http" };
  deepEqual(problemsOf(env), ["COOKIE_SAMESITE"]);
});

Deno.test("parseConfig() refuses a PUBLIC_TTL_SEC that breaks what PRIVATE_WITHIN_SEC promises, if both are set", () => {
  const env = { PUBLIC_TTL_SEC: "58", PRIVATE_WITHIN_SEC: "60" };
  deepEqual(problemsOf(env), ["PUBLIC_TTL_SEC"]);
  deepEqual(problemsOf({ ...env, PUBLIC_TTL_SEC: "57" }), []);
  deepEqual(problemsOf({ PUBLIC_TTL_SEC: "58" }), []);
  deepEqual(problemsOf({ PRIVATE_WITHIN_SEC: "4" }), ["PRIVATE_WITHIN_SEC"]);
});

Deno.test("parseConfig() refuses TLS without both of its files", () => {
  deepEqual(problemsOf({ ENABLE_TLS: "true" }), [
    "TLS_CERT_FILE",
    "TLS_KEY_FILE",
  ]);
  deepEqual(problemsOf({ ENABLE_TLS: "true", TLS_CERT_FILE: "/c" }), [
    "TLS_KEY_FILE",
  ]);
});

Deno.test("parseConfig() refuses an issuer with plain http on another machine, unless OIDC_ALLOW_INSECURE is set", () => {
  for (
    const OIDC_DOMAIN of [
      "http://dex:5556/dex",
      "HTTP://id.example.com",
      "http://localhost.example.com",
      "http://127.0.0.10",
    ]
  ) {
    const result = parseConfig({ ...REQUIRED, OIDC_DOMAIN }, SECTIONS);
    ok(!result.ok, OIDC_DOMAIN);
    const [problem, ...rest] = result.problems;
    equal(problem?.name, "OIDC_DOMAIN");
    ok(/^"http:/.test(problem.given ?? ""));
    ok(/https.*OIDC_ALLOW_INSECURE/.test(problem.allowed), problem.allowed);
    deepEqual(rest, []);
    const allowed = configOf({ OIDC_DOMAIN, OIDC_ALLOW_INSECURE: "true" });
    ok(allowed.oidc.allowInsecure);
  }
  for (const host of ["localhost:5556", "127.0.0.1", "[::1]:5556"]) {
    const OIDC_DOMAIN = `http://${host}/dex`;
    equal(configOf({ OIDC_DOMAIN }).oidc.issuer, OIDC_DOMAIN);
  }
});
