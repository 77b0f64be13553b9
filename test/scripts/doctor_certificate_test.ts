import assert from "node:assert/strict";
import {
  checkCertificate,
  judgeCertificate,
} from "../../scripts/doctor/certificate.ts";
import { judgeCertificateFile } from "../../scripts/doctor/certificate_file.ts";
import { examine } from "../../scripts/doctor/examine.ts";
import type { PublicBase } from "../../scripts/doctor/public_base.ts";
import { type RawHandler, withRawServer } from "../support/raw_server.ts";
import { TEST_WORLD } from "./doctor_world.ts";

const FOLDER = new URL("./doctor_tls/", import.meta.url);

function pem(name: string): string {
  return Deno.readTextFileSync(new URL(`${name}.pem`, FOLDER));
}

const GOOD = { certificate: pem("cert"), key: pem("key") };
const DAY_MS = 24 * 60 * 60 * 1000;
/** When the test certificates expire. */
const END = Date.parse("2126-10-31T18:10:08Z");

/** A base domain on a port. */
function baseAt(port: number): PublicBase {
  return { protocol: "https", domain: "preview.test", port };
}

/** The finding for a server with a certificate, or with another behaviour. */
async function served(
  { certificate, trusted = true, handler = (conn) => conn.closed() }: {
    readonly certificate?: string;
    readonly trusted?: boolean;
    readonly handler?: RawHandler;
  },
): Promise<readonly (string | undefined)[]> {
  const world = { ...TEST_WORLD, ...trusted && { caCerts: [pem("ca")] } };
  let found: readonly (string | undefined)[] = [];
  await withRawServer(
    handler,
    async ({ origin }) => {
      const { state, finding } = await checkCertificate(
        baseAt(origin.port),
        "127.0.0.1",
        world,
      );
      found = [state, finding];
    },
    certificate === undefined
      ? undefined
      : { cert: certificate, key: GOOD.key },
  );
  return found;
}

Deno.test("checkCertificate() wants the wildcard and the base in a trusted certificate", async () => {
  assert.deepEqual(await served({ certificate: GOOD.certificate }), [
    "ok",
    "It is valid for preview.test and *.preview.test.",
  ]);

  const [state, finding] = await served({ certificate: pem("base_only_cert") });
  assert.equal(state, "failed");
  assert.match(
    finding ?? "",
    /certificate for \*\.preview\.test is not accepted: it is not for 3000-doctor-\w+\.preview\.test\.$/,
  );

  assert.deepEqual(
    await served({ certificate: GOOD.certificate, trusted: false }),
    [
      "failed",
      "The certificate for *.preview.test is not accepted: it is not signed by an authority that this machine trusts, or the chain is incomplete.",
    ],
  );
});

Deno.test("checkCertificate() tells a server without TLS from none", async () => {
  const plain = await served({
    async handler(conn) {
      await conn.write("HTTP/1.1 400 Bad Request\r\n\r\n");
      await conn.closed();
    },
  });
  assert.equal(plain[0], "failed");
  assert.match(plain[1] ?? "", /TLS fails/);

  const gone = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = gone.addr;
  gone.close();
  const none = await checkCertificate(baseAt(port), "127.0.0.1", TEST_WORLD);
  assert.equal(none.state, "skipped");
  assert.match(none.finding, /nothing listens there/);
});

Deno.test("checkCertificate() gives a handshake up when it is overdue", async () => {
  const deadline = new AbortController();
  await withRawServer(async (conn) => {
    await conn.readUntil("preview");
    deadline.abort(new DOMException("too late", "TimeoutError"));
    await conn.closed();
  }, async ({ origin }) => {
    const { state, finding } = await checkCertificate(
      baseAt(origin.port),
      "127.0.0.1",
      { ...TEST_WORLD, deadline: () => deadline.signal },
    );
    assert.equal(state, "failed");
    assert.match(finding, /no answer in time/);
  });
});

Deno.test("judgeCertificate() warns two weeks before the end", () => {
  const shown = { answered: true, objection: undefined, validTo: END } as const;
  function at(now: number): string[] {
    const { state, finding } = judgeCertificate(
      baseAt(443),
      [shown, shown],
      now,
    );
    return [state, finding];
  }
  assert.equal(at(END - 15 * DAY_MS)[0], "ok");
  assert.deepEqual(at(END - 13 * DAY_MS), [
    "warning",
    "The certificate for *.preview.test expires on 2126-10-31.",
  ]);
  assert.equal(at(END)[0], "failed");
});

Deno.test("judgeCertificateFile() wants a certificate for every base domain, its key, and time", async (t) => {
  const now = Date.now();
  const bases = [baseAt(443)];
  const other = [...bases, { ...baseAt(443), domain: "other.test" }];
  const cases = [
    ["good", GOOD, bases, now, "ok", /match/],
    [
      "base only",
      { ...GOOD, certificate: pem("base_only_cert") },
      bases,
      now,
      "failed",
      /is not valid for \*\.preview\.test\.$/,
    ],
    [
      "one domain of two",
      GOOD,
      other,
      now,
      "failed",
      /is not valid for other\.test and \*\.other\.test\.$/,
    ],
    [
      "another key",
      { ...GOOD, key: pem("other_key") },
      bases,
      now,
      "failed",
      /does not belong to the certificate/,
    ],
    [
      "the wrong way round",
      { certificate: GOOD.key, key: GOOD.certificate },
      bases,
      now,
      "failed",
      /not a certificate and a private key/,
    ],
    ["near its end", GOOD, bases, END - DAY_MS, "warning", /expires on/],
    ["after its end", GOOD, bases, END + 1, "failed", /expired on/],
  ] as const;
  for (const [why, files, domains, time, state, text] of cases) {
    await t.step(why, () => {
      const [found] = judgeCertificateFile(files, domains, time);
      assert.equal(found?.state, state);
      assert.equal(found?.name, "certificate file");
      assert.match(found?.finding ?? "", text);
    });
  }
});

Deno.test("examine() looks behind a domain at the address that DNS gives", async () => {
  const health = { status: "ok", version: "1.2.3" };
  await using server = Deno.serve(
    {
      hostname: "127.0.0.1",
      port: 0,
      cert: GOOD.certificate,
      key: GOOD.key,
      onListen() {},
    },
    (request) =>
      new URL(request.url).hostname === "preview.test"
        ? Response.json(health)
        : new Response(null, { status: 404 }),
  );
  const { port } = server.addr;
  const asked: string[] = [];

  const findings = await examine({
    DAYTONA_API_URL: `http://127.0.0.1:${port}`,
    PROXY_API_KEY: "some-key",
    PROXY_DOMAIN: `preview.test:${port}`,
    CACHE_URL: "none",
    ENABLE_TLS: "true",
    TLS_CERT_FILE: "cert.pem",
    TLS_KEY_FILE: "key.pem",
  }, {
    ...TEST_WORLD,
    caCerts: [pem("ca")],
    resolve(name) {
      asked.push(name);
      return Promise.resolve(["127.0.0.1"]);
    },
    readFile: (path) => Deno.readTextFile(new URL(path, FOLDER)),
  });

  const found = Object.fromEntries(
    findings.map(({ name, state, finding }) => [name, { state, finding }]),
  );
  assert.equal(asked.length, 2);
  assert.match(asked.join(), /^preview\.test,3000-doctor-\w+\.preview\.test$/);
  assert.equal(found["wildcard DNS"]?.state, "ok");
  assert.equal(found["certificate"]?.state, "ok");
  assert.equal(found["certificate file"]?.state, "ok");
  assert.deepEqual(found["gateway"], {
    state: "ok",
    finding:
      `A gateway answers at https://preview.test:${port}/health, version 1.2.3.`,
  });
});
