import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import {
  afterCheck,
  DomainChecks,
} from "../../../../src/features/names/domain_checks.ts";
import type { KeptName } from "../../../../src/features/names/kept_name.ts";
import { SharedNames } from "../../../../src/features/names/shared_names.ts";
import { collectLog } from "../../../support/collected_log.ts";
import { fakeClock } from "../../../support/fake_clock.ts";
import { MemoryValues } from "../../../support/memory_values.ts";
import { TestDns } from "../../../support/test_dns.ts";
import { nameOf } from "./name_of.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const HOST = "www.shop.test";

/** A domain in force whose DNS has just been right. */
function domainOf(host: string, differences: Partial<KeptName> = {}) {
  return nameOf(host, {
    kind: "domain",
    proof: { nonce: `nonce of ${host}`, target: "0target.preview.example.com" },
    checkedAt: 0,
    ...differences,
  });
}

/** Gateways with one store and one DNS, in which all is right with these domains. */
async function setUp(...domains: KeptName[]) {
  const dns = new TestDns();
  const values = new MemoryValues();
  const clock = { now: 0 };
  const now = () => clock.now;
  /** One more gateway, which knows all names. */
  async function gateway() {
    const book = new SharedNames({
      values: values.gateway(),
      now,
      onChange() {},
    });
    await book.look();
    const checks = new DomainChecks({ book, resolveDns: dns.resolve, now });
    return { book, checks };
  }
  const one = await gateway();
  for (const domain of domains) {
    const { host, proof } = domain;
    dns.set("TXT", `_porthole.${host}`, proof?.nonce ?? "");
    dns.set("CNAME", host, `${proof?.target}.`);
    await one.book.change(host, () => ({ holder: domain, claims: [] }));
  }
  return {
    ...one,
    dns,
    values,
    clock,
    gateway,
    holder: (host = HOST) => one.book.entryOf(host).holder ?? assert.fail(),
    /** Lets time pass, and a look at what is due. */
    async pass(ms: number): Promise<void> {
      clock.now += ms;
      await one.checks.checkDue();
    },
  };
}

Deno.test("a domain is asked about once a day", async () => {
  const { dns, pass, holder } = await setUp(domainOf(HOST));
  await pass(DAY_MS - 1);
  assert.deepEqual(dns.asked, []);
  await pass(1);
  assert.deepEqual(dns.asked, [`TXT _porthole.${HOST}.`, `CNAME ${HOST}.`]);
  assert.deepEqual(holder(), domainOf(HOST, { checkedAt: DAY_MS }));
  await pass(DAY_MS - 1);
  assert.equal(dns.asked.length, 2);
});

Deno.test("a domain whose DNS is not right any more is asked about hourly, and is suspended after three days", async () => {
  await using log = await collectLog();
  const { dns, pass, holder } = await setUp(domainOf(HOST));
  dns.set("TXT", `_porthole.${HOST}`);
  await pass(DAY_MS);
  const { state, failingSince, lastError } = holder();
  assert.deepEqual([state, failingSince], ["active", DAY_MS]);
  assert.equal(lastError, `no such TXT at _porthole.${HOST}`);
  for (let hour = 1; hour < 72; hour++) await pass(HOUR_MS);
  assert.equal(dns.asked.length, 2 * 72);
  assert.equal(holder().state, "active");
  await pass(HOUR_MS);
  assert.equal(holder().state, "suspended");
  const line = await log.next("domain suspended");
  assert.deepEqual([line.host, line.sandboxId], [HOST, "box"]);
});

Deno.test("a suspended domain is in force again within an hour of its DNS being right", async () => {
  const suspended = domainOf(HOST, {
    state: "suspended",
    failingSince: 0,
    lastError: "no such CNAME",
  });
  const { pass, holder } = await setUp(suspended);
  await pass(HOUR_MS);
  assert.deepEqual(holder(), domainOf(HOST, { checkedAt: HOUR_MS }));
});

Deno.test("an outage of the DNS begins no three days, and ends none", async () => {
  const { dns, pass, holder } = await setUp(domainOf(HOST));
  dns.failure = new Deno.errors.TimedOut("request timed out");
  for (let day = 0; day < 10; day++) await pass(DAY_MS);
  const { state, failingSince, lastError } = holder();
  assert.deepEqual([state, failingSince], ["active", null]);
  assert.match(lastError ?? "", /^no answer about/);
  dns.failure = undefined;
  dns.set("CNAME", HOST, "elsewhere.test.");
  await pass(DAY_MS);
  assert.equal(holder().failingSince, 11 * DAY_MS);
  dns.failure = new Error("refused");
  await pass(4 * DAY_MS);
  assert.equal(holder().state, "active");
  assert.equal(holder().failingSince, 11 * DAY_MS);
  dns.failure = undefined;
  await pass(HOUR_MS);
  assert.equal(holder().state, "suspended");
});

Deno.test("of many that are due, the 100 that have waited longest are asked about", async () => {
  const hosts = Array.from({ length: 110 }, (_, at) => `a${at}.shop.test`);
  const domains = hosts.map((host, at) => domainOf(host, { checkedAt: -at }));
  const { dns, pass } = await setUp(...domains);
  await pass(DAY_MS);
  const asked = () => new Set(dns.asked.map((each) => each.split(" ")[1]));
  for (const [at, host] of hosts.entries()) {
    assert.equal(asked().has(`${host}.`), at >= 10, host);
  }
  await pass(0);
  assert.equal(dns.asked.length, 2 * hosts.length);
});

Deno.test("a domain that cannot be written keeps no other from being checked, and the log names it", async () => {
  await using log = await collectLog();
  const next = "next.shop.test";
  const { dns, values, pass, holder } = await setUp(
    domainOf(HOST, { checkedAt: -1 }),
    domainOf(next),
  );
  const [unwritable = ""] = [...values.kept].flatMap(([key, { text }]) =>
    text.includes(HOST) ? key : []
  );
  values.unwritable.add(unwritable);
  dns.set("TXT", `_porthole.${next}`);
  await pass(DAY_MS);
  assert.equal(holder(next).failingSince, DAY_MS);
  assert.equal(holder().checkedAt, -1);
  const { host, reason } = await log.next("domain unchecked");
  assert.deepEqual([host, reason], [HOST, "The log has said why"]);
});

Deno.test("of several gateways, one asks", async () => {
  const world = await setUp(domainOf(HOST));
  const others = [await world.gateway(), await world.gateway()];
  world.clock.now = DAY_MS;
  await Promise.all([world, ...others].map(({ checks }) => checks.checkDue()));
  assert.equal(world.dns.asked.length, 2);
});

Deno.test("aliases are not asked about, nor is what is pending or given up", async () => {
  const { dns, pass } = await setUp(
    nameOf("shop.preview.example.com"),
    domainOf("a.shop.test", { state: "pending" }),
    domainOf("b.shop.test", { state: "released", endsAt: 30 * DAY_MS }),
  );
  await pass(10 * DAY_MS);
  assert.deepEqual(dns.asked, []);
});

Deno.test("what becomes of a domain while the DNS is being asked is not undone", async () => {
  const { dns, pass, book, holder } = await setUp(domainOf(HOST));
  const { promise, resolve } = Promise.withResolvers<void>();
  dns.held = promise;
  dns.set("TXT", `_porthole.${HOST}`);
  const passing = pass(DAY_MS);
  const proof = { nonce: "another", target: "0other.preview.example.com" };
  const anew = domainOf(HOST, { proof, sandboxId: "other" });
  while (dns.asked.length === 0) await turn();
  await book.change(HOST, () => ({ holder: anew, claims: [] }));
  resolve();
  await passing;
  assert.deepEqual(holder(), anew);
});

Deno.test("a domain that leads to another sandbox meanwhile still does", async () => {
  const { dns, pass, book, holder } = await setUp(domainOf(HOST));
  const { promise, resolve } = Promise.withResolvers<void>();
  dns.held = promise;
  const passing = pass(DAY_MS);
  while (dns.asked.length === 0) await turn();
  await book.change(HOST, ({ holder, claims }) => ({
    holder: { ...holder ?? assert.fail(), sandboxId: "other" },
    claims,
  }));
  resolve();
  await passing;
  assert.equal(holder().sandboxId, "other");
  assert.equal(holder().checkedAt, DAY_MS);
});

Deno.test("domains are looked at every 10 minutes until the end, and a store that is away is told of", async () => {
  using clock = fakeClock();
  await using log = await collectLog();
  const { checks, clock: time, values, dns } = await setUp(domainOf(HOST));
  checks.start();
  time.now = DAY_MS;
  values.isAway = true;
  clock.pass(600_000);
  const { reason } = await log.next("domain unchecked");
  assert.equal(reason, "The log has said why");
  assert.deepEqual(dns.asked, []);
  checks.close();
  const asked = values.asked.length;
  clock.pass(DAY_MS);
  await checks.checkDue();
  assert.equal(values.asked.length, asked);
});

Deno.test("a claim stays one until its DNS is right, and is for good from then on", () => {
  const claim = domainOf(HOST, { state: "pending", endsAt: 7 * DAY_MS });
  const failed = { ok: false, error: "no such TXT", isOutage: false } as const;
  assert.deepEqual(afterCheck(claim, failed, 4 * DAY_MS), {
    ...claim,
    checkedAt: 4 * DAY_MS,
    lastError: "no such TXT",
  });
  assert.deepEqual(
    afterCheck(claim, { ok: true }, HOUR_MS),
    domainOf(HOST, { checkedAt: HOUR_MS }),
  );
});
