import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { GatewayError } from "../../../../src/errors.ts";
import type {
  KeptName,
  NameEntry,
} from "../../../../src/features/names/kept_name.ts";
import { afterCheck } from "../../../../src/features/names/domain_checks.ts";
import {
  withName,
  withoutName,
} from "../../../../src/features/names/name_entries.ts";
import { SharedNames } from "../../../../src/features/names/shared_names.ts";
import { RecordValues } from "../../../../src/records/record_values.ts";
import { ManualClock } from "../../../support/manual_clock.ts";
import { MemoryValues } from "../../../support/memory_values.ts";
import { failureLog, settled } from "../../cache/fakes.ts";
import { databaseTest as test } from "../../records/databases.ts";
import { nameOf } from "./name_of.ts";

const SHOP = "shop.preview.example.com";
const UNAVAILABLE = { code: "records_unavailable" };

/** How often a gateway looks in a minute. */
const LOOKS_A_MINUTE = 30;

/** Gateways with one store. */
function setUp() {
  const values = new MemoryValues();
  const clock = new ManualClock(1_700_000_000_000);
  return {
    values,
    clock,
    /** One that has read everything, and what its table has been told. */
    async gateway() {
      const told: string[][] = [];
      const names = new SharedNames({
        values: values.gateway(),
        now: () => clock.now(),
        onChange: (all) => told.push([...all].map(described)),
      });
      if (!values.isAway) await names.look();
      return { names, told };
    },
  };
}

function described({ host, sandboxId }: KeptName): string {
  return `${host} ${sandboxId}`;
}

/** Has somebody hold a name, whoever else does. */
function hold(names: SharedNames, name: KeptName): Promise<NameEntry> {
  return names.change(name.host, ({ claims }) => ({ holder: name, claims }));
}

/** The key of the value that a host is in. */
function keyOf(host: string): string {
  return `names,${createHash("sha256").update(host).digest()[0]}`;
}

/** So many hosts that are in the same value as another one, of about that length. */
function hostsBeside(host: string, count: number, length = 16): string[] {
  const hosts: string[] = [];
  for (let at = 0; hosts.length < count; at++) {
    const other = `${"a.".repeat((length - 16) / 2)}a${at}.example.org`;
    if (keyOf(other) === keyOf(host)) hosts.push(other);
  }
  return hosts;
}

Deno.test("a gateway knows what another has written at its next look, which reads what has changed and a little more", async () => {
  const { values, gateway } = setUp();
  const [one, other] = [await gateway(), await gateway()];
  const name = nameOf(SHOP);
  assert.deepEqual(await hold(one.names, name), { holder: name, claims: [] });
  assert.deepEqual(one.names.entryOf(SHOP).holder, name);
  assert.deepEqual(one.told, [[`${SHOP} box`]]);
  assert.deepEqual(other.names.entryOf(SHOP), { claims: [] });
  values.asked.length = 0;
  await other.names.look();
  assert.deepEqual(other.names.entryOf(SHOP).holder, name);
  assert.deepEqual(other.told, [[`${SHOP} box`]]);
  assert(values.asked.length <= 11, values.asked.join("; "));
  await other.names.look();
  assert.equal(other.told.length, 1);
});

Deno.test("a gateway that starts reads all names, and knows none before", async () => {
  const { values, clock, gateway } = setUp();
  const { names } = await gateway();
  const hosts = Array.from({ length: 50 }, (_, at) => `a${at}.example.org`);
  await Promise.all(hosts.map((host) => hold(names, nameOf(host))));
  let told = 0;
  const late = new SharedNames({
    values: values.gateway(),
    now: () => clock.now(),
    onChange: () => told++,
  });
  assert.deepEqual([...late.all()], []);
  await Promise.all([late.look(), late.look()]);
  assert.equal([...late.all()].length, 50);
  assert.equal(told, 1);
});

for (
  const text of ["{", "{}", '{"entries":{"h":null}}', '{"entries":[]}', "[]"]
) {
  Deno.test(`a value such as ${text} hides the names of no other, keeps its own, and is healed by who knows them`, async () => {
    await isLeftOut(text);
  });
}

async function isLeftOut(text: string): Promise<void> {
  const { values, gateway } = setUp();
  const { names } = await gateway();
  const other = "other.example.org";
  assert.notEqual(keyOf(other), keyOf(SHOP));
  await hold(names, nameOf(SHOP));
  await hold(names, nameOf(other));
  for (const key of [keyOf(SHOP), "names,versions"]) {
    values.kept.set(key, { text, version: `${key} spoilt` });
  }
  for (let look = 0; look < LOOKS_A_MINUTE; look++) await names.look();
  assert.equal(names.entryOf(SHOP).holder?.host, SHOP);
  const late = await gateway();
  assert.equal(late.names.entryOf(other).holder?.host, other);
  assert.deepEqual(late.names.entryOf(SHOP), { claims: [] });
  await assert.rejects(hold(late.names, nameOf(SHOP)), UNAVAILABLE);
  assert.equal(values.kept.get(keyOf(SHOP))?.text, text);
  const another = nameOf(other, { sandboxId: "moved" });
  await hold(late.names, another);
  for (let look = 0; look < LOOKS_A_MINUTE; look++) await names.look();
  assert.equal(names.entryOf(other).holder?.sandboxId, "moved");
  const [beside = ""] = hostsBeside(SHOP, 1);
  await hold(names, nameOf(beside));
  for (let look = 0; look < LOOKS_A_MINUTE; look++) await late.names.look();
  for (const host of [SHOP, beside]) {
    assert.equal(late.names.entryOf(host).holder?.host, host);
  }
  const aside = `set-aside,${keyOf(SHOP)},${keyOf(SHOP)} spoilt`;
  assert.equal(values.kept.get(aside)?.text, text);
}

Deno.test("of changes at once, by several gateways, none is lost", async () => {
  const { gateway, values } = setUp();
  const gateways = [await gateway(), await gateway(), await gateway()];
  await Promise.all(
    Array.from(
      { length: 30 },
      (_, at) =>
        gateways[at % 3]?.names.change(SHOP, ({ claims }) => ({
          claims: [...claims, nameOf(SHOP, { sandboxId: `box-${at}` })],
        })),
    ),
  );
  for (const { names } of gateways) {
    await names.look();
    const boxes = names.entryOf(SHOP).claims.map(({ sandboxId }) => sandboxId);
    assert.equal(new Set(boxes).size, 30);
  }
  const counts = JSON.parse(values.kept.get("names,versions")?.text ?? "[]");
  assert.equal(counts.reduce((sum: number, count: number) => sum + count), 30);
});

Deno.test("of those who take a name at once, one has it, and the others are told what they throw", async () => {
  const { gateway } = setUp();
  const gateways = [await gateway(), await gateway()];
  const taken = await Promise.allSettled(
    Array.from(
      { length: 10 },
      (_, at) =>
        gateways[at % 2]?.names.change(SHOP, (entry) => {
          if (entry.holder) throw new GatewayError("name_taken", "Somebody's");
          return { ...entry, holder: nameOf(SHOP, { sandboxId: `box-${at}` }) };
        }),
    ),
  );
  const winners = taken.flatMap((each, at) =>
    each.status === "fulfilled" ? [`box-${at}`] : []
  );
  assert.equal(winners.length, 1);
  for (const each of taken) {
    if (each.status === "rejected") {
      assert.equal(each.reason.code, "name_taken");
    }
  }
  for (const { names } of gateways) {
    await names.look();
    assert.equal(names.entryOf(SHOP).holder?.sandboxId, winners[0]);
  }
});

Deno.test("a change that the others were not told of is known to them within a minute", async () => {
  const { values, gateway } = setUp();
  const [one, other] = [await gateway(), await gateway()];
  values.unwritable.add("names,versions");
  const hosts = Array.from({ length: 20 }, (_, at) => `a${at}.example.org`);
  for (const host of hosts) await hold(one.names, nameOf(host));
  for (let at = 0; at < LOOKS_A_MINUTE; at++) await other.names.look();
  const known = [...other.names.all()].map(({ host }) => host);
  assert.deepEqual(known.sort(), hosts.sort());
});

Deno.test("a full value is refused, and nothing of it is lost", async () => {
  const { values, gateway } = setUp();
  const { names, told } = await gateway();
  await hold(names, nameOf(SHOP));
  const long = nameOf(SHOP, { lastError: "é".repeat(33_000) });
  const { kept } = values;
  const before = kept.get(keyOf(SHOP));
  await assert.rejects(hold(names, long), { code: "records_full" });
  assert.equal(kept.get(keyOf(SHOP)), before);
  assert.equal(names.entryOf(SHOP).holder?.lastError, null);
  assert.equal(told.length, 1);
});

Deno.test("no owner fills a value with chosen hosts: others have room to change theirs there", async () => {
  const { gateway } = setUp();
  const { names } = await gateway();
  await hold(names, nameOf(SHOP));
  const chosen = hostsBeside(SHOP, 81);
  const last = chosen.pop() ?? "";
  const evil = { organizationId: "evil" };
  for (const host of chosen) await hold(names, nameOf(host, evil));
  await assert.rejects(hold(names, nameOf(last, evil)), {
    code: "records_full",
  });
  await hold(names, nameOf(chosen[0] ?? "", { ...evil, port: 8000 }));
  await hold(names, nameOf(SHOP, { port: 8000 }));
  assert.equal(names.entryOf(SHOP).holder?.port, 8000);
});

Deno.test("a value has no room for more names above 70 %, so that what is there is changed, verified, suspended and given up", async () => {
  for (const length of [16, 50, 250]) {
    const { gateway, values, clock } = setUp();
    const { names } = await gateway();
    const uuid = (at: number) =>
      `${at}-9a3b-4c1d-8e2f-0b9f1c5e7d6a`.padStart(36);
    const claims = hostsBeside(SHOP, 130, length).map((host, at) =>
      nameOf(host, {
        kind: "domain",
        state: "pending",
        port: 1,
        sandboxId: uuid(at),
        organizationId: uuid(at),
        createdAt: clock.now(),
        endsAt: clock.now() + 1,
        proof: { nonce: "n".repeat(22), target: `0${"t".repeat(25)}.p.io` },
      })
    );
    const made: KeptName[] = [];
    const isFull = await (async () => {
      for (const claim of claims) {
        await names.change(claim.host, (entry) => withName(entry, claim));
        made.push(claim);
      }
    })().catch(({ code }) => code === "records_full");
    assert.equal(isFull, true, `${made.length} of ${length}`);
    const text = () => values.kept.get(keyOf(SHOP))?.text ?? "";
    assert(text().length > 44_000 && text().length < 46_000, text());
    const failed = {
      ok: false,
      isOutage: true,
      error: `no answer about TXT at ${"a".repeat(2 * length)}`,
    } as const;
    const DAY_MS = 86_400_000;
    for (
      const change of [
        (name: KeptName) => ({ ...name, port: 30_000 }),
        (name: KeptName) => afterCheck(name, failed, clock.now()),
        (name: KeptName) => afterCheck(name, { ok: true }, clock.now()),
        (name: KeptName) =>
          afterCheck(name, { ...failed, isOutage: false }, clock.now()),
        (name: KeptName) =>
          afterCheck(
            { ...name, failingSince: clock.now() - 3 * DAY_MS },
            { ...failed, isOutage: false },
            clock.now(),
          ),
      ]
    ) {
      for (const [at, name] of made.entries()) {
        const next = made[at] = change(name);
        await names.change(name.host, (entry) => withName(entry, next));
      }
    }
    assert.equal(made.at(-1)?.state, "suspended");
    for (const name of made) {
      const now = clock.now();
      await names.change(name.host, (entry) => withoutName(entry, name, now));
    }
    assert.match(text(), /released/);
  }
});

Deno.test("while the store is away, what was read stays, nothing is changed, and a gateway that starts knows nothing", async () => {
  const { values, gateway } = setUp();
  const one = await gateway();
  await hold(one.names, nameOf(SHOP));
  values.isAway = true;
  await assert.rejects(one.names.look(), UNAVAILABLE);
  assert.equal(one.names.entryOf(SHOP).holder?.sandboxId, "box");
  const moved = nameOf(SHOP, { sandboxId: "other" });
  await assert.rejects(hold(one.names, moved), UNAVAILABLE);
  assert.equal(one.names.entryOf(SHOP).holder?.sandboxId, "box");
  assert.equal(one.told.length, 1);
  const late = await gateway();
  await assert.rejects(late.names.look(), UNAVAILABLE);
  values.isAway = false;
  await late.names.look();
  assert.deepEqual(late.told, [[`${SHOP} box`]]);
  await hold(one.names, moved);
  assert.equal(one.names.entryOf(SHOP).holder?.sandboxId, "other");
});

Deno.test("claims and tombstones that are over are not told, and go from the store with the next change", async () => {
  const { values, clock, gateway } = setUp();
  const { names } = await gateway();
  const endsAt = clock.now() + 1_000;
  await names.change(SHOP, () => ({
    holder: nameOf(SHOP, { state: "released", endsAt }),
    claims: [
      nameOf(SHOP, { sandboxId: "late", state: "pending", endsAt }),
      nameOf(SHOP, {
        sandboxId: "later",
        state: "pending",
        endsAt: endsAt + 1,
      }),
    ],
  }));
  assert.equal(names.countOf("acme"), 3);
  clock.pass(1_000);
  const left = names.entryOf(SHOP);
  assert.equal(left.holder, undefined);
  assert.deepEqual(left.claims.map(({ sandboxId }) => sandboxId), ["later"]);
  assert.equal(names.countOf("acme"), 1);
  assert.equal(names.ofSandbox("late").length, 0);
  let seen: NameEntry | undefined;
  await names.change(SHOP, (entry) => seen = entry);
  assert.deepEqual(seen, left);
  assert.doesNotMatch(values.kept.get(keyOf(SHOP))?.text ?? "", /released/);
  clock.pass(1);
  await names.change(SHOP, (entry) => entry);
  assert.equal(values.kept.has(keyOf(SHOP)), false);
  assert.deepEqual([...names.all()], []);
});

Deno.test("what a look has read does not undo a change that was made meanwhile", async () => {
  const { values, gateway } = setUp();
  const [one, other] = [await gateway(), await gateway()];
  await hold(other.names, nameOf(SHOP));
  const release = values.holdNextRead(keyOf(SHOP));
  const looking = one.names.look();
  await settled();
  const moving = hold(one.names, nameOf(SHOP, { sandboxId: "new" }));
  await settled();
  release();
  await Promise.all([looking, moving]);
  assert.equal(one.names.entryOf(SHOP).holder?.sandboxId, "new");
  assert.equal(one.told.flat().at(-1), `${SHOP} new`);
});

Deno.test("a sandbox's names are told newest first, without those that were given up", async () => {
  const { gateway } = setUp();
  const { names } = await gateway();
  const all = [
    nameOf("a.example.org", { createdAt: 1 }),
    nameOf("b.example.org", { createdAt: 3, state: "suspended" }),
    nameOf("c.example.org", { createdAt: 2 }),
    nameOf("d.example.org", { createdAt: 4, state: "released" }),
    nameOf("e.example.org", { sandboxId: "other", organizationId: null }),
  ];
  for (const each of all) await hold(names, each);
  assert.deepEqual(
    names.ofSandbox("box").map(({ host }) => host),
    ["b.example.org", "c.example.org", "a.example.org"],
  );
  assert.equal(names.countOf("acme"), 4);
  assert.equal(names.countOf("other"), 1);
});

test("names that one gateway writes are read by another, and go again", async (database) => {
  const { onFailure, failures } = failureLog();
  const clock = new ManualClock(Date.now());
  const now = () => clock.now();
  function open(): RecordValues {
    return new RecordValues({
      open: () => database.open(),
      now,
      onFailure,
      deadlineMs: 20_000, // for a busy machine
    });
  }
  const opened = [open(), open()];
  const gateways = opened.map((values) =>
    new SharedNames({ values, now, onChange() {} })
  );
  const [one, other] = gateways;
  assert(one && other);
  await Promise.all([one.look(), other.look()]);
  const hosts = Array.from({ length: 20 }, (_, at) => `a${at}.example.org`);
  await Promise.all(
    hosts.map((host, at) =>
      hold(at % 2 === 0 ? one : other, nameOf(host, { createdBy: "“ünï”" }))
    ),
  );
  for (const names of [one, other]) {
    await names.look();
    assert.equal([...names.all()].length, 20);
    assert.deepEqual(
      names.entryOf("a0.example.org").holder?.createdBy,
      "“ünï”",
    );
  }
  await Promise.all(
    hosts.map((host) => one.change(host, () => ({ claims: [] }))),
  );
  await other.look();
  assert.deepEqual([...other.all()], []);
  assert.deepEqual(failures, []);
  for (const values of opened) values.close();
});
