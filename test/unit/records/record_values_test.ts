import assert from "node:assert/strict";
import { z } from "zod";
import type { StoreKey } from "../../../src/cache/store.ts";
import { type Form, storedObject } from "../../../src/records/form.ts";
import type { RecordValues } from "../../../src/records/record_values.ts";
import { collectLog } from "../../support/collected_log.ts";
import { MemoryValues } from "../../support/memory_values.ts";

const KEY: StoreKey = ["sums", "7"];
const NAME = "sums,7";

const SUM: Form<{ readonly sum: number }> = {
  schema: storedObject({ sum: z.number() }),
  none: { sum: 0 },
};

function add(values: RecordValues, more: number) {
  return values.update(KEY, SUM, (now) => ({
    value: { ...now, sum: now.sum + more },
  }));
}

async function sumIn(values: RecordValues) {
  const read = await values.read(KEY, SUM);
  return read === "unreadable" ? read : read.value.sum;
}

Deno.test("what several gateways change at once is all there, and in one process nobody gets ahead of anybody", async () => {
  const store = new MemoryValues();
  const gateways = [store.gateway(), store.gateway(), store.gateway()];
  await Promise.all(
    Array.from({ length: 60 }, (_, at) => gateways[at % 3]).map((values) =>
      add(values ?? assert.fail(), 1)
    ),
  );
  const [one] = gateways;
  assert(one);
  assert.equal(await sumIn(one), 60);
  store.asked.length = 0;
  await Promise.all(Array.from({ length: 20 }, () => add(one, 1)));
  assert.equal(store.asked.length, 40);
});

Deno.test("a change that is overtaken each time is refused, and the log says of what", async () => {
  await using log = await collectLog();
  const store = new MemoryValues();
  let others = 0;
  const { write } = store;
  store.write = async (wanted) => {
    const text = `{"sum":${++others}}`;
    store.kept.set(NAME, { text, version: `other ${others}` });
    return await write.call(store, wanted);
  };
  const values = store.gateway({ sleep: () => Promise.resolve() });
  await assert.rejects(add(values, 1), {
    code: "records_unavailable",
    message: "Others were faster each time",
  });
  assert.equal(others, 32);
  const [{ message, key } = assert.fail()] = log.records();
  assert.deepEqual([message, key], ["a value was not written", "sums/7"]);
});

Deno.test("what a change throws is thrown, what it has stay is not written, and undefined deletes", async () => {
  const store = new MemoryValues();
  const values = store.gateway();
  await add(values, 5);
  const failing = values.update(KEY, SUM, () => {
    throw new RangeError("too much");
  });
  await assert.rejects(failing, RangeError);
  assert.equal(await values.update(KEY, SUM, () => undefined), undefined);
  const tooLong = values.update(KEY, SUM, ({ sum }) => ({
    value: { sum },
    maxBytes: 5,
  }));
  await assert.rejects(tooLong, { code: "records_full" });
  assert.equal(await sumIn(values), 5);
  const deleted = await values.update(KEY, SUM, () => ({ value: undefined }));
  assert.deepEqual(deleted, {
    before: { sum: 5 },
    value: { sum: 0 },
    version: undefined,
  });
  assert.equal(store.kept.size, 0);
});

Deno.test("a value of another form is told once, doubted as long as it is there, and never written over", async () => {
  await using log = await collectLog();
  const store = new MemoryValues();
  const values = store.gateway();
  for (const text of ["", "{", "{}", "[]", "null", "1", '{"sum":null}']) {
    store.kept.set(NAME, { text, version: "theirs" });
    assert.equal(await sumIn(values), "unreadable", text);
    await assert.rejects(add(values, 1), {
      code: "records_unavailable",
      message: "No value that can be read: sums/7",
    });
    assert.equal(store.kept.get(NAME)?.text, text);
  }
  const messages = log.records().map(({ message }) => message);
  assert.deepEqual(messages, ["a value cannot be read"]);
  assert.deepEqual(await values.doubts(), ["1 unreadable: sums/7"]);
  store.kept.set(NAME, { text: '{"sum":2}', version: "good" });
  assert.equal(await sumIn(values), 2);
  assert.deepEqual(await values.doubts(), []);
});

Deno.test("what a gateway of another version has added to a value stays there", async () => {
  const store = new MemoryValues();
  const text = '{"sum":2,"unit":"ms"}';
  store.kept.set(NAME, { text, version: "theirs" });
  await add(store.gateway(), 1);
  assert.equal(store.kept.get(NAME)?.text, '{"sum":3,"unit":"ms"}');
});

Deno.test("whoever has a value in the version that is stored gets it back as it is", async () => {
  const store = new MemoryValues();
  const values = store.gateway();
  await add(values, 1);
  const read = await values.read(KEY, SUM);
  assert(read !== "unreadable");
  assert.equal(await values.read(KEY, SUM, read), read);
  await add(values, 1);
  assert.notEqual(await values.read(KEY, SUM, read), read);
});

Deno.test("a value that cannot be read is set aside by a change of what it is known to have been", async () => {
  const store = new MemoryValues();
  const values = store.gateway();
  store.kept.set(NAME, { text: "{", version: "theirs" });
  assert.equal(await sumIn(values), "unreadable");
  assert.equal(values.unreadable, 1);
  const known = { value: { sum: 2 } };
  const stay = await values.update(KEY, SUM, () => undefined, known);
  assert.equal(stay, undefined);
  assert.equal(store.kept.size, 1);
  const more = ({ sum }: { sum: number }) => ({ value: { sum: sum + 1 } });
  assert.equal((await values.update(KEY, SUM, more, known))?.value.sum, 3);
  assert.equal(await sumIn(values), 3);
  assert.equal(values.unreadable, 0);
  assert.equal(store.kept.get("set-aside,sums,7,theirs")?.text, "{");
});
