/** Custom domains: whose they are is what the DNS says, tested on complete services. */
import assert from "node:assert/strict";
import { KEYS } from "../../../../scripts/stand_in/stack.ts";
import { assertEventually } from "../../../support/assert_eventually.ts";
import { collectLog } from "../../../support/collected_log.ts";
import type { Answer } from "../../../support/gateway.ts";
import { skewClock } from "../../../support/skewed_clock.ts";
import { WORLDS } from "../../../support/worlds.ts";
import {
  endName,
  type NameGateway,
  OWN,
  putName,
  putTheirs,
  readName,
  SHOP,
  startNameGateway,
  THEIR_KEY,
  verificationOf,
  verifyName,
} from "./name_gateway.ts";

const DAY_MS = 86_400_000;

/** What happens at the domain: the status, and our code. */
async function shown(
  { send }: Pick<NameGateway, "send">,
): Promise<[number, string | null]> {
  const { status, code } = await send(OWN, { path: "/echo" });
  return [status, code];
}

const UNSERVED: [number, string] = [404, "route_not_found"];
const SERVED: [number, null] = [200, null];

function stateOf(answer: Answer): unknown {
  assert.equal(answer.status, 200, answer.body);
  return answer.json()["state"];
}

/** Has a member of another organization claim the domain, and the DNS say that it is theirs. */
async function giveTheirs(gateway: NameGateway): Promise<void> {
  const claimed = await putTheirs(gateway, OWN);
  assert.equal(claimed.status, 201, claimed.body);
  gateway.dns.publish(verificationOf(claimed));
  const verified = await verifyName(gateway, OWN, THEIR_KEY);
  assert.equal(stateOf(verified), "active");
}

for (const { suffix, startGateway, memberKey: key } of WORLDS) {
  Deno.test(`a domain opens its port once its DNS says so, and no longer than three days after it has ceased to${suffix}`, async () => {
    using clock = skewClock();
    await using gateway = await startNameGateway(startGateway);
    const { dns } = gateway;
    const verify = () => verifyName(gateway, OWN, key);
    const made = await putName(gateway, OWN, { key });
    assert.equal(made.status, 201, made.body);
    const { kind, state, createdAt, expiresAt } = made.json();
    assert.deepEqual([kind, state], ["domain", "pending"]);
    const [from, until] = [createdAt, expiresAt].map(String).map(Date.parse);
    assert.equal(until, (from ?? NaN) + 7 * DAY_MS);
    const { txt, cname } = verificationOf(made);
    assert.deepEqual([txt.name, cname.name], [`_porthole.${OWN}`, OWN]);
    assert.match(txt.value, /^[\w-]{22}$/);
    assert.match(cname.target, /^0[a-z0-9]{25}\.proxy\.localhost$/);
    assert.deepEqual(await shown(gateway), UNSERVED);

    const noTxt = `no such TXT at ${txt.name}`;
    const noCname = `no such CNAME at ${OWN}`;
    async function isRefused(lastError: string): Promise<void> {
      const answer = await verify();
      assert.equal(stateOf(answer), "pending");
      assert.equal(answer.json()["lastError"], lastError);
      assert.deepEqual(await shown(gateway), UNSERVED);
    }
    await isRefused(`${noTxt}; ${noCname}`);
    dns.set("CNAME", OWN, `${cname.target}.`);
    await isRefused(noTxt);
    dns.set("TXT", txt.name, "another");
    await isRefused(noTxt);
    dns.set("TXT", txt.name, txt.value);
    dns.set("CNAME", OWN, "0123456789abcdefghijklmnop.proxy.localhost.");
    await isRefused(noCname);
    dns.failures.set(`TXT ${txt.name}.`, new Error("server failure"));
    await isRefused(`no answer about TXT at ${txt.name}; ${noCname}`);
    dns.failures.clear();

    dns.publish({ txt, cname });
    const verified = await verify();
    assert.equal(stateOf(verified), "active");
    assert.deepEqual(verified.json(), {
      ...made.json(),
      state: "active",
      expiresAt: null,
    });
    assert.notEqual(verified.headers.get("etag"), made.headers.get("etag"));
    assert.deepEqual(await shown(gateway), SERVED);

    dns.set("TXT", txt.name);
    assert.equal(stateOf(await verify()), "active");
    clock.jump(3 * DAY_MS - 60_000);
    assert.equal(stateOf(await verify()), "active");
    assert.deepEqual(await shown(gateway), SERVED);
    clock.jump(60_000);
    const suspended = await verify();
    assert.equal(stateOf(suspended), "suspended");
    assert.equal(suspended.json()["lastError"], noTxt);
    assert.deepEqual(await shown(gateway), [503, "name_suspended"]);
    dns.publish({ txt, cname });
    assert.equal(stateOf(await verify()), "active");
    assert.deepEqual(await shown(gateway), SERVED);
  });
}

Deno.test("a domain that leads to another sandbox needs no new proof", async () => {
  await using gateway = await startNameGateway();
  const made = await putName(gateway, OWN);
  gateway.dns.publish(verificationOf(made));
  const claimed = await putName(gateway, OWN, { sandbox: "locked" });
  assert.equal(stateOf(claimed), "pending");
  assert.deepEqual(verificationOf(claimed), verificationOf(made));
  assert.equal(stateOf(await verifyName(gateway, OWN)), "active");
  assert.deepEqual(await shown(gateway), [401, "login_required"]);
  const moved = await putName(gateway, OWN, { sandbox: "demo" });
  assert.equal(stateOf(moved), "active");
  assert.deepEqual(await shown(gateway), SERVED);
});

Deno.test("a pending domain blocks nobody: who verifies first has it, and the others are told", async () => {
  await using gateway = await startNameGateway();
  const claimed = await putName(gateway, OWN);
  await giveTheirs(gateway);
  assert.notDeepEqual(
    verificationOf(claimed),
    verificationOf(await readName(gateway, OWN, THEIR_KEY)),
  );
  const { dns } = gateway;
  dns.publish(verificationOf(claimed));
  dns.asked.length = 0;
  for (
    const answer of [
      await verifyName(gateway, OWN),
      await putName(gateway, OWN),
    ]
  ) assert.deepEqual([answer.status, answer.code], [409, "name_taken"]);
  assert.deepEqual(dns.asked, []);
  assert.equal(stateOf(await readName(gateway, OWN)), "pending");
  assert.equal(stateOf(await readName(gateway, OWN, THEIR_KEY)), "active");
  assert.equal((await endName(gateway, OWN)).status, 204);
  assert.equal((await readName(gateway, OWN)).status, 404);
  assert.equal(stateOf(await readName(gateway, OWN, THEIR_KEY)), "active");
});

Deno.test("of two that the DNS speaks for, one has the domain", async () => {
  await using first = await startNameGateway();
  const claimed = await putName(first, OWN);
  const theirs = await putTheirs(first, OWN);
  const [own, other] = [verificationOf(claimed), verificationOf(theirs)];
  const { dns } = first;
  dns.set("TXT", own.txt.name, own.txt.value, other.txt.value);
  dns.set("CNAME", OWN, `${own.cname.target}.`, `${other.cname.target}.`);
  const answers = [
    await verifyName(first, OWN),
    await verifyName(first, OWN, THEIR_KEY),
  ];
  assert.deepEqual(answers.map(({ status }) => status), [200, 409]);
});

Deno.test("a domain that is active, suspended or given up is nobody else's, and its own organization's at once", async () => {
  using clock = skewClock();
  await using gateway = await startNameGateway();
  const { dns } = gateway;
  await giveTheirs(gateway);
  const taken = async () => {
    const { status, code } = await putName(gateway, OWN);
    assert.deepEqual([status, code], [409, "name_taken"]);
  };
  await taken();
  const { txt } = verificationOf(await readName(gateway, OWN, THEIR_KEY));
  dns.set("TXT", txt.name);
  await verifyName(gateway, OWN, THEIR_KEY);
  clock.jump(3 * DAY_MS);
  const suspended = await verifyName(gateway, OWN, THEIR_KEY);
  assert.equal(stateOf(suspended), "suspended");
  await taken();
  assert.equal((await endName(gateway, OWN, { key: THEIR_KEY })).status, 204);
  assert.deepEqual(await shown(gateway), UNSERVED);
  await taken();
  // With the records that it had before.
  dns.set("TXT", txt.name, txt.value);
  assert.equal((await putTheirs(gateway, OWN)).status, 201);
  assert.deepEqual(await shown(gateway), UNSERVED);
  await taken();
  const back = await verifyName(gateway, OWN, THEIR_KEY);
  assert.equal(stateOf(back), "active");
  assert.deepEqual(await shown(gateway), SERVED);
  assert.equal((await endName(gateway, OWN, { key: THEIR_KEY })).status, 204);
  clock.jump(30 * DAY_MS - 60_000);
  await taken();
  clock.jump(60_000);
  const claimed = await putName(gateway, OWN);
  assert.equal(claimed.status, 201, claimed.body);
  assert.notDeepEqual(verificationOf(claimed).txt, txt);
});

Deno.test("a claim is forgotten after seven days without proof", async () => {
  using clock = skewClock();
  await using gateway = await startNameGateway();
  assert.equal((await putName(gateway, OWN)).status, 201);
  clock.jump(7 * DAY_MS - 60_000);
  assert.equal(stateOf(await readName(gateway, OWN)), "pending");
  clock.jump(60_000);
  assert.equal((await readName(gateway, OWN)).status, 404);
  assert.equal((await verifyName(gateway, OWN)).status, 404);
});

Deno.test("an alias needs no proof, and the DNS is not asked about it", async () => {
  await using gateway = await startNameGateway();
  assert.equal((await putName(gateway, SHOP)).status, 201);
  assert.equal(stateOf(await verifyName(gateway, SHOP)), "active");
  assert.deepEqual(gateway.dns.asked, []);
});

Deno.test("the DNS is asked about a domain once at a time", async () => {
  await using gateway = await startNameGateway();
  const { dns } = gateway;
  const made = await putName(gateway, OWN);
  dns.publish(verificationOf(made));
  const { promise, resolve } = Promise.withResolvers<void>();
  dns.held = promise;
  const first = verifyName(gateway, OWN);
  await assertEventually(() => dns.asked.length === 2, "the DNS is asked");
  const { status, code, headers } = await verifyName(gateway, OWN);
  assert.deepEqual([status, code], [429, "too_many_lookups"]);
  assert(headers.has("retry-after"));
  resolve();
  assert.equal(stateOf(await first), "active");
  assert.equal(stateOf(await verifyName(gateway, OWN)), "active");
  assert.equal(dns.asked.length, 4);
});

Deno.test("that somebody else has the DNS asked about a domain keeps its owner from nothing", async () => {
  await using gateway = await startNameGateway();
  const { dns } = gateway;
  await putTheirs(gateway, OWN);
  dns.publish(verificationOf(await putName(gateway, OWN)));
  const { promise, resolve } = Promise.withResolvers<void>();
  dns.held = promise;
  const theirs = verifyName(gateway, OWN, THEIR_KEY);
  await assertEventually(() => dns.asked.length === 2, "the DNS is asked");
  dns.held = Promise.resolve();
  const own = await verifyName(gateway, OWN);
  resolve();
  assert.equal((await theirs).code, "name_taken");
  assert.equal(stateOf(own), "active");
});

Deno.test("who has the DNS asked in vain again and again is told to wait, and it is asked no more", async () => {
  await using gateway = await startNameGateway(undefined, {
    REFUSALS_PER_MINUTE: "5",
  });
  const { dns } = gateway;
  await putName(gateway, OWN);
  const codes = [];
  for (let i = 0; i < 8; i++) {
    codes.push((await verifyName(gateway, OWN)).code);
  }
  const waits = Array.from({ length: 3 }, () => "too_many_refusals");
  assert.deepEqual(codes, [null, null, null, null, null, ...waits]);
  assert.equal(dns.asked.length, 2 * 5);
});

Deno.test("the log tells of a domain that is verified, and why its DNS did not answer", async () => {
  await using log = await collectLog();
  await using gateway = await startNameGateway();
  const { dns } = gateway;
  const made = await putName(gateway, OWN);
  dns.failure = new Error("server failure");
  await verifyName(gateway, OWN);
  const { name, reason } = await log.next("no answer of the DNS");
  assert.deepEqual([name, reason], [`_porthole.${OWN}`, "server failure"]);
  dns.failure = undefined;
  dns.publish(verificationOf(made));
  await verifyName(gateway, OWN, KEYS.user);
  const line = await log.next("record active");
  assert.deepEqual([line.kind, line.id, line.sandboxId], [
    "names",
    OWN,
    "demo",
  ]);
});
