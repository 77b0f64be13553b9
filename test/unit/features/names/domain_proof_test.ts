import assert from "node:assert/strict";
import {
  newProof,
  proofOf,
} from "../../../../src/features/names/domain_proof.ts";
import { kindOf } from "../../../../src/features/names/host_rules.ts";
import { collectLog } from "../../../support/collected_log.ts";
import {
  cnameData,
  type DnsAnswer,
  soaData,
  startDns,
  txtData,
} from "../../../support/dns_server.ts";
import { TestDns } from "../../../support/test_dns.ts";

const HOST = "www.shop.test";
const TXT = `_porthole.${HOST}`;
const NONCE = "q83vEjRWeJCrze8SNFZ4kA";
const TARGET = "0f3a2b1c4d5e6f708192a3b4c5.preview.example.com";
const PROOF = { nonce: NONCE, target: TARGET };

function setUp() {
  const dns = new TestDns();
  dns.set("TXT", TXT, NONCE);
  dns.set("CNAME", HOST, `${TARGET}.`);
  return { dns, ask: () => proofOf(HOST, PROOF, dns.resolve) };
}

Deno.test("a domain is proven by its TXT record and its CNAME, which are asked for by their whole names", async () => {
  const { dns, ask } = setUp();
  assert.deepEqual(await ask(), { ok: true });
  assert.deepEqual(dns.asked, [`TXT ${TXT}.`, `CNAME ${HOST}.`]);
});

Deno.test("other TXT records beside it prove no less, and neither does the case of the target", async () => {
  const { dns, ask } = setUp();
  dns.set("TXT", TXT, "v=spf1 -all", NONCE, "x".repeat(255));
  dns.set("CNAME", HOST, TARGET.toUpperCase());
  assert.deepEqual(await ask(), { ok: true });
});

Deno.test("one of both is not enough, nor is anything else in their places, and the error repeats none of it", async () => {
  for (
    const [change, error] of [
      [(dns) => dns.set("TXT", TXT), `no such TXT at ${TXT}`],
      [(dns) => dns.set("TXT", TXT, "<b>"), `no such TXT at ${TXT}`],
      [(dns) => dns.set("TXT", TXT, `${NONCE} `), `no such TXT at ${TXT}`],
      [
        (dns) => dns.set("TXT", TXT, NONCE.toLowerCase()),
        `no such TXT at ${TXT}`,
      ],
      [(dns) => dns.set("CNAME", HOST), `no such CNAME at ${HOST}`],
      [
        (dns) => dns.set("CNAME", HOST, "other.preview.example.com."),
        `no such CNAME at ${HOST}`,
      ],
      [
        (dns) => dns.set("CNAME", HOST, `${TARGET}.evil.test.`),
        `no such CNAME at ${HOST}`,
      ],
      [
        (dns) => {
          dns.set("TXT", TXT);
          dns.set("CNAME", HOST);
        },
        `no such TXT at ${TXT}; no such CNAME at ${HOST}`,
      ],
    ] as [(dns: TestDns) => void, string][]
  ) {
    const { dns, ask } = setUp();
    change(dns);
    assert.deepEqual(await ask(), { ok: false, error, isOutage: false });
  }
});

Deno.test("of a long answer, the first 20 records count", async () => {
  const { dns, ask } = setUp();
  const others = Array.from({ length: 20 }, (_, at) => `other ${at}`);
  dns.set("TXT", TXT, ...others.slice(1), NONCE);
  assert.equal((await ask()).ok, true);
  dns.set("TXT", TXT, ...others, NONCE);
  assert.equal((await ask()).ok, false);
});

Deno.test("a DNS that does not answer tells nothing, and the log has its words", async () => {
  await using log = await collectLog();
  const { dns, ask } = setUp();
  dns.failure = new Deno.errors.TimedOut("request timed out");
  assert.deepEqual(await ask(), {
    ok: false,
    error: `no answer about TXT at ${TXT}; no answer about CNAME at ${HOST}`,
    isOutage: true,
  });
  const line = await log.next("no answer of the DNS");
  assert.deepEqual([line.name, line.reason], [TXT, "request timed out"]);
});

Deno.test("what is surely missing counts while nothing is known of the rest", async () => {
  const { dns, ask } = setUp();
  dns.set("TXT", TXT);
  dns.failures.set(`CNAME ${HOST}.`, new Error("refused"));
  assert.deepEqual(await ask(), {
    ok: false,
    error: `no such TXT at ${TXT}; no answer about CNAME at ${HOST}`,
    isOutage: false,
  });
});

Deno.test("what is not found tells nothing where its top-level domain is not found, either: our resolver may have failed", async () => {
  const { dns, ask } = setUp();
  dns.set("TXT", TXT);
  dns.failures.set("SOA test.", new Deno.errors.NotFound("no records"));
  assert.deepEqual(await ask(), {
    ok: false,
    error: `no such TXT at ${TXT}`,
    isOutage: true,
  });
});

Deno.test("what is not found below a domain that nobody has any more is missing", async () => {
  const { dns, ask } = setUp();
  dns.set("TXT", TXT);
  dns.set("CNAME", HOST);
  dns.failures.set("SOA shop.test.", new Deno.errors.NotFound("no records"));
  assert.partialDeepStrictEqual(await ask(), { ok: false, isOutage: false });
});

Deno.test("every proof has a nonce of 128 bits, and a target that can be no name and no preview host", () => {
  const namesDomain = "preview.example.com";
  const rules = { namesDomain, baseDomains: [namesDomain] };
  const proofs = Array.from({ length: 50 }, () => newProof(namesDomain));
  for (const { nonce, target } of proofs) {
    assert.match(nonce, /^[A-Za-z0-9_-]{22}$/);
    assert.match(target, /^0[a-z0-9]{25}\.preview\.example\.com$/);
    assert("problem" in kindOf(target, rules));
  }
  assert.equal(new Set(proofs.map(({ nonce }) => nonce)).size, 50);
  assert.equal(new Set(proofs.map(({ target }) => target)).size, 50);
});

Deno.test("by this runtime's resolver, a server that fails or refuses tells nothing, and what it has not is missing", async () => {
  const right: Record<string, DnsAnswer> = {
    [`TXT ${TXT}`]: {
      records: [txtData("v=spf1"), txtData(NONCE.slice(0, 9), NONCE.slice(9))],
    },
    [`CNAME ${HOST}`]: { records: [cnameData(TARGET.toUpperCase())] },
    "SOA test": { records: [soaData("ns.test")] },
  };
  for (
    const [differences, expected] of [
      [{}, { ok: true }],
      [{ [`TXT ${TXT}`]: { code: "noSuchName" } }, { isOutage: false }],
      [{ [`TXT ${TXT}`]: {} }, { isOutage: false }],
      [{ [`CNAME ${HOST}`]: {} }, { isOutage: false }],
      [{
        [`TXT ${TXT}`]: { code: "serverFailure" },
        "SOA test": { code: "serverFailure" },
      }, { isOutage: true }],
      [{
        [`CNAME ${HOST}`]: { code: "refused" },
        "SOA test": { code: "refused" },
      }, { isOutage: true }],
    ] as [Record<string, DnsAnswer>, object][]
  ) {
    const answers = { ...right, ...differences };
    await using server = startDns((question) => answers[question] ?? {});
    const { nameServer } = server;
    const resolve = ((name: string, type: "TXT", options?: object) =>
      Deno.resolveDns(name, type, {
        ...options,
        nameServer,
      })) as typeof Deno.resolveDns;
    const result = await proofOf(HOST, PROOF, resolve);
    assert.partialDeepStrictEqual(result, expected);
  }
});
