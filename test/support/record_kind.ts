/** What holds for every kind of records, in the form that its feature has for it. */
import assert from "node:assert/strict";
import type { AskedOfAll } from "../../src/control/api/fields.ts";
import type { Kept, RecordKind } from "../../src/control/api/record_routes.ts";
import { Records } from "../../src/records/records.ts";
import type { StoredRecord } from "../../src/records/stored_record.ts";
import { type FakeClock, fakeClock } from "./fake_clock.ts";
import { MemoryValues } from "./memory_values.ts";

const SANDBOX = "box";
const [A, B, C] = ["a".repeat(22), "b".repeat(22), "c".repeat(22)];
const LIFE_MS = 60_000;

/** Gateways with one store, on a clock that a test sets. */
function setUp() {
  const clock: FakeClock = fakeClock();
  clock.pass(1); // at 0, nothing would expire
  const values = new MemoryValues();
  return {
    clock,
    values,
    start: () =>
      new Records({
        open: () => Promise.resolve(values),
        maxEntries: 10,
        caps: [2, 10],
        now: Date.now,
        onFailure() {},
      }),
    [Symbol.dispose]: () => clock[Symbol.dispose](),
  };
}

/** Declares the tests of a kind, of which a member asks for such a record. */
export function suiteOfRecordKind<A extends AskedOfAll, D>(
  { form, asked, make, tell }: RecordKind<A, D>,
  wish: object,
): void {
  const { name } = form;
  const nothing = { code: "records_unavailable" };

  async function made(id: string): Promise<StoredRecord<Kept<D>>> {
    const [createdAt, expiresAt] = [Date.now(), Date.now() + LIFE_MS];
    const place = { id, sandboxId: SANDBOX, authority: "p.test", expiresAt };
    const { data: own } = await make(asked.parse(wish), place);
    return {
      id,
      sandboxId: SANDBOX,
      organizationId: "acme",
      createdAt,
      expiresAt,
      data: { createdBy: null, note: "a note", own },
    };
  }

  /** Two of them, as their gateway and one that starts later know them. */
  async function twoOf(world: ReturnType<typeof setUp>) {
    const records = world.start();
    const both = [await made(A), await made(B)] as const;
    for (const each of both) {
      const written = await records.put(form, each, "absent");
      assert.equal(typeof written, "object");
    }
    return { records, both, other: world.start() };
  }

  async function idsIn(records: Records): Promise<string[]> {
    const { items } = await records.list(form, SANDBOX);
    return items.map(({ record }) => record.id).sort();
  }

  Deno.test(`${name} are read and listed by a gateway that starts, as they were made`, async () => {
    using world = setUp();
    const { both, other } = await twoOf(world);
    for (const record of both) {
      const found = await other.get(form, record.id);
      assert.deepEqual(found?.record, record);
      assert.equal(
        typeof tell(found?.record.data.own ?? assert.fail()),
        "object",
      );
    }
    assert.deepEqual(await idsIn(other), [A, B]);
  });

  Deno.test(`one of ${name} that is ended is gone at once where that was, and elsewhere within 5 s`, async () => {
    using world = setUp();
    const { records, other } = await twoOf(world);
    await other.get(form, A);
    assert.equal(await records.delete(form, A), true);
    assert.equal(await records.delete(form, A), false);
    assert.equal(await records.get(form, A), undefined);
    world.clock.pass(5_001);
    assert.equal(await other.get(form, A), undefined);
    assert.deepEqual(await idsIn(other), [B]);
  });

  Deno.test(`${name} are over when their time is, whatever is remembered`, async () => {
    using world = setUp();
    const { records, other } = await twoOf(world);
    await other.get(form, A);
    world.clock.pass(LIFE_MS);
    for (const each of [records, other]) {
      assert.equal(await each.get(form, A), undefined);
      assert.deepEqual(await idsIn(each), []);
    }
  });

  Deno.test(`one of ${name} that cannot be read is left out, and hides no other`, async () => {
    using world = setUp();
    const { both: [record], other } = await twoOf(world);
    const key = `record,${name},${A}`;
    for (
      const text of [
        "{",
        "{}",
        JSON.stringify({ ...record, data: null }),
        JSON.stringify({ ...record, data: { own: {} } }),
      ]
    ) {
      world.values.kept.set(key, { text, version: "theirs" });
      assert.deepEqual(await idsIn(other), [B], text);
      await assert.rejects(other.get(form, A), nothing);
      assert.equal(world.values.kept.get(key)?.text, text);
    }
  });

  Deno.test(`a sandbox has no more of ${name} than it may, and who writes one as it was no longer changes nothing`, async () => {
    using world = setUp();
    const { records, both: [record] } = await twoOf(world);
    const third = await made(C);
    assert.equal(await records.put(form, third, "absent"), "full");
    assert.equal(await records.get(form, C), undefined);
    const late = await records.put(form, record, { etag: "old" });
    assert.equal(late, "conflict");
    assert.equal(
      await records.put(form, record, "absent"),
      "conflict",
    );
  });
}
