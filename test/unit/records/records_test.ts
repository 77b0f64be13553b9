import assert from "node:assert/strict";
import { Records } from "../../../src/records/records.ts";
import type { StoredRecord } from "../../../src/records/stored_record.ts";
import { failureLog, manualClock } from "../cache/fakes.ts";
import { type Database, databaseTest } from "./databases.ts";
import { anyForm } from "../../support/record_forms.ts";

const TOKEN = anyForm("token");
const SHARE = anyForm("share");
const NAME = anyForm("name");

const CAPS = [3, 5];

function setUp(database: Database) {
  const clock = manualClock(Date.now());
  const log = failureLog();
  const gateways: Records[] = [];
  return {
    clock,
    failures: log.failures,
    gateway(options: { caps?: typeof CAPS } = {}): Records {
      const records = new Records({
        open: () => database.open(),
        maxEntries: 100,
        now: () => clock.now(),
        onFailure: log.onFailure,
        deadlineMs: 20_000, // for a busy machine
        ...options,
      });
      gateways.push(records);
      return records;
    },
    record(id: string, differences: Partial<StoredRecord> = {}): StoredRecord {
      return {
        id,
        sandboxId: "sandbox-1",
        organizationId: "organization-1",
        createdAt: clock.now(),
        expiresAt: clock.now() + 60_000,
        data: { note: "“ünïcode”\n" },
        ...differences,
      };
    },
    [Symbol.dispose]() {
      for (const records of gateways) records.close();
    },
  };
}

function is({ etag }: { etag: string }) {
  return (found: { etag: string }) => found.etag === etag;
}

async function idsOf(
  records: Records,
  sandboxId = "sandbox-1",
): Promise<string[]> {
  const { items } = await records.list(TOKEN, sandboxId);
  return items.map(({ record }) => record.id);
}

databaseTest(
  "what was written is read by its id, by another gateway too",
  async (database) => {
    using world = setUp(database);
    const [one, other] = [world.gateway(), world.gateway()];
    const record = world.record("a");
    const written = await one.put(TOKEN, record, "absent");
    assert(typeof written === "object");
    assert.doesNotMatch(written.etag, /"/);
    assert.deepEqual(await one.get(TOKEN, "a"), { record, ...written });
    assert.deepEqual(await other.get(TOKEN, "a"), { record, ...written });
    assert.equal(await other.get(SHARE, "a"), undefined);
    assert.equal(await other.get(TOKEN, "b"), undefined);
    assert.deepEqual(world.failures, []);
  },
);

databaseTest(
  "of those who write a record first, one succeeds",
  async (database) => {
    using world = setUp(database);
    const gateways = [world.gateway(), world.gateway()];
    const written = await Promise.all(
      Array.from({ length: 10 }, (_, at) =>
        gateways[at % 2]?.put(
          TOKEN,
          world.record("a", { data: at }),
          "absent",
        )),
    );
    const winners = written.flatMap((each, at) =>
      typeof each === "object" ? [at] : []
    );
    assert.equal(winners.length, 1);
    assert.equal(written.filter((each) => each === "conflict").length, 9);
    const found = await gateways[0]?.get(TOKEN, "a");
    assert.equal(found?.record.data, winners[0]);
  },
);

databaseTest(
  "a record is replaced or deleted only as it was read",
  async (database) => {
    using world = setUp(database);
    const records = world.gateway();
    const first = await records.put(TOKEN, world.record("a"), "absent");
    assert(typeof first === "object");
    const changed = world.record("a", { data: 2 });
    const second = await records.put(TOKEN, changed, first);
    assert(typeof second === "object");
    assert.notEqual(second.etag, first.etag);
    assert.equal(await records.put(TOKEN, changed, first), "conflict");
    assert.equal(await records.put(TOKEN, changed, "absent"), "conflict");
    assert.equal(await records.delete(TOKEN, "a", is(first)), false);
    assert.deepEqual(await records.get(TOKEN, "a"), {
      record: changed,
      ...second,
    });
    assert.equal(await records.delete(TOKEN, "a", is(second)), true);
    assert.equal(await records.get(TOKEN, "a"), undefined);
    assert.equal(await records.put(TOKEN, changed, second), "conflict");
    assert.equal(await records.delete(TOKEN, "a"), false);
    assert.deepEqual(await idsOf(records), []);
  },
);

databaseTest(
  "a sandbox's records are listed newest first, 50 at a time",
  async (database) => {
    using world = setUp(database);
    const records = world.gateway();
    const ids = Array.from({ length: 60 }, (_, at) => `id-${at}`);
    await Promise.all(ids.map(async (id, at) => {
      const createdAt = world.clock.now() + at;
      const record = world.record(id, { createdAt });
      assert.equal(
        typeof await records.put(TOKEN, record, "absent"),
        "object",
      );
    }));
    await records.put(TOKEN, world.record("b", { sandboxId: "2" }), "absent");
    await records.put(SHARE, world.record("c"), "absent");
    const first = await records.list(TOKEN, "sandbox-1");
    const second = await records.list(TOKEN, "sandbox-1", first.next);
    assert.equal(first.items.length, 50);
    assert.equal(second.next, undefined);
    const listed = [...first.items, ...second.items];
    assert.deepEqual(listed.map(({ record }) => record.id), ids.reverse());
    assert.deepEqual(await idsOf(records, "2"), ["b"]);
  },
);

databaseTest(
  "a sandbox and an organization have so many records at most",
  async (database) => {
    using world = setUp(database);
    const records = world.gateway({ caps: CAPS });
    async function put(id: string, sandboxId: string) {
      const record = world.record(id, { sandboxId });
      const written = await records.put(TOKEN, record, "absent");
      return typeof written === "object" ? "written" : written;
    }
    const first = ["a", "b", "c", "d"].map((id) => put(id, "sandbox-1"));
    const outcomes = await Promise.all(first);
    assert.deepEqual(outcomes.sort(), [
      "full",
      "written",
      "written",
      "written",
    ]);
    const [id = ""] = await idsOf(records);
    assert.equal(await put("e", "sandbox-2"), "written");
    assert.equal(await put("f", "sandbox-2"), "written");
    assert.equal(await put("g", "sandbox-2"), "full");
    assert.equal(await records.get(TOKEN, "g"), undefined);
    assert.deepEqual((await idsOf(records, "sandbox-2")).sort(), ["e", "f"]);
    // What is there can still be written.
    const found = await records.get(TOKEN, id);
    assert(found !== undefined);
    const again = await records.put(TOKEN, found.record, found);
    assert.equal(typeof again, "object");
    await records.delete(TOKEN, id);
    assert.equal(await put("g", "sandbox-2"), "written");
    assert.equal(await put("h", "sandbox-1"), "full");
    world.clock.time += 60_000; // all are over
    assert.equal(await put("h", "sandbox-1"), "written");
    assert.deepEqual(world.failures, []);
  },
);

databaseTest(
  "what its organization has no room for takes none of its sandbox's",
  async (database) => {
    using world = setUp(database);
    const records = world.gateway({ caps: [3, 2] });
    async function put(id: string, sandboxId: string) {
      const record = world.record(id, { sandboxId });
      const written = await records.put(TOKEN, record, "absent");
      return typeof written === "object" ? "written" : written;
    }
    for (const id of ["a", "b"]) await put(id, "sandbox-1");
    for (const id of ["c", "d", "e"]) {
      assert.equal(await put(id, "sandbox-2"), "full");
    }
    await records.delete(TOKEN, "a");
    assert.equal(await put("f", "sandbox-2"), "written");
  },
);

databaseTest(
  "a full organization's records of sandboxes that are gone do not count, and stay",
  async (database) => {
    using world = setUp(database);
    const records = world.gateway({ caps: [3, 2] });
    const asked: string[] = [];
    const makeRoom = (record: StoredRecord) =>
      records.makeRoom(TOKEN, record, (sandboxId) => {
        asked.push(sandboxId);
        return Promise.resolve(sandboxId === "gone");
      });
    const put = (record: StoredRecord) => records.put(TOKEN, record, "absent");
    await put(world.record("a"));
    const wanted = world.record("c");
    assert.equal(await makeRoom(wanted), false);
    assert.deepEqual(asked, [], "it is not full");
    await put(world.record("b", { sandboxId: "gone" }));
    assert.equal(await put(wanted), "full");
    assert.equal(await makeRoom(wanted), true);
    assert.deepEqual(asked.sort(), ["gone", "sandbox-1"]);
    assert.equal(typeof await put(wanted), "object");
    assert.notEqual(await records.get(TOKEN, "b"), undefined);
    assert.equal(await makeRoom(wanted), false);
    assert.equal(asked.length, 4);
    assert.equal(await makeRoom(wanted), false);
    assert.equal(asked.length, 4, "they are asked about once a minute");
  },
);

databaseTest(
  "what is over is gone, and can be written anew; what never ends stays",
  async (database) => {
    using world = setUp(database);
    const records = world.gateway();
    await records.put(TOKEN, world.record("a"), "absent");
    const forever = world.record("b", { expiresAt: null });
    await records.put(TOKEN, forever, "absent");
    world.clock.time += 60_000;
    assert.equal(await records.get(TOKEN, "a"), undefined);
    assert.equal(await records.delete(TOKEN, "a"), false);
    assert.deepEqual(await idsOf(records), ["b"]);
    const anew = await records.put(TOKEN, world.record("a"), "absent");
    assert.equal(typeof anew, "object");
    assert.deepEqual((await idsOf(records)).sort(), ["a", "b"]);
  },
);

databaseTest(
  "a record that moves to another sandbox is listed there only",
  async (database) => {
    using world = setUp(database);
    const records = world.gateway();
    const first = await records.put(NAME, world.record("a.test"), "absent");
    assert(typeof first === "object");
    const moved = world.record("a.test", { sandboxId: "sandbox-2" });
    assert.equal(typeof await records.put(NAME, moved, first), "object");
    assert.deepEqual((await records.list(NAME, "sandbox-1")).items, []);
    const { items } = await records.list(NAME, "sandbox-2");
    assert.deepEqual(items.map(({ record }) => record), [moved]);
  },
);

databaseTest(
  "whoever asks for an id that nobody has asked for lately pays first, and others do not",
  async (database) => {
    using world = setUp(database);
    const [one, other] = [world.gateway(), world.gateway()];
    await one.put(TOKEN, world.record("a"), "absent");
    let paid = 0;
    const pay = () => void paid++;
    for (const id of ["a", "b"]) {
      await other.get(TOKEN, id, pay);
      await other.get(TOKEN, id, pay);
    }
    assert.equal(paid, 2);
    await assert.rejects(
      other.get(TOKEN, "c", () => {
        throw new Error("nothing left");
      }),
      /nothing left/,
    );
  },
);
