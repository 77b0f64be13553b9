import assert from "node:assert/strict";
import { z } from "zod";
import {
  fileConflicts,
  type FileContent,
  followFile,
  type SettingsFile,
} from "../../../src/config/settings_file.ts";
import { fakeClock } from "../../support/fake_clock.ts";
import { textFile } from "../../support/text_file.ts";

const schema = z.strictObject({ a: z.array(z.number()), b: z.string() });

function fileAt(
  { path }: { readonly path: string },
): SettingsFile<z.output<typeof schema>> {
  return { path, parse: JSON.parse, schema };
}

Deno.test("fileConflicts() tells every problem of a file, each by its place", async () => {
  await using file = await textFile('{"a": [1, "x"], "c": 0}');
  const conflicts = fileConflicts("SOME_FILE", fileAt(file));
  const given = JSON.stringify(file.path);
  assert.deepEqual(conflicts.map((it) => [it.name, it.given]), [
    ["SOME_FILE", given],
    ["SOME_FILE", given],
    ["SOME_FILE", given],
  ]);
  const told = conflicts.map(({ allowed }) => allowed).join("\n");
  assert.match(told, /^the path of such a file: \/a\/1: .*number/m);
  assert.match(told, /^the path of such a file: \/b: .*string/m);
  assert.match(told, /^the path of such a file: : Unrecognized key: "c"$/m);
  await file.write('{"a": [], "b": ""}');
  assert.deepEqual(fileConflicts("SOME_FILE", fileAt(file)), []);
});

Deno.test("fileConflicts() tells that there is no file, or that it cannot be parsed", async () => {
  const path = "/nowhere/file.json";
  const [missing] = fileConflicts("SOME_FILE", fileAt({ path }));
  assert.match(
    missing?.allowed ?? "",
    /: \/nowhere\/file.json does not exist$/,
  );
  await using file = await textFile("{");
  const [broken] = fileConflicts("SOME_FILE", fileAt(file));
  assert.match(broken?.allowed ?? "", /JSON/);
});

Deno.test("followFile() tells what a file says, and each change within 5 s, until it is ended", async () => {
  using clock = fakeClock();
  await using file = await textFile('{"a": [1], "b": ""}');
  const told: FileContent<unknown>[] = [];
  const unfollow = followFile(fileAt(file), (read) => told.push(read));
  assert.deepEqual(told, [{ ok: true, value: { a: [1], b: "" } }]);
  clock.pass(5000);
  assert.equal(told.length, 1);
  for (const text of ['{"a": [2], "b": ""}', ""]) {
    await file.write(text);
    clock.pass(5000);
  }
  assert.deepEqual(told[1], { ok: true, value: { a: [2], b: "" } });
  assert.deepEqual(told.slice(2).map(({ ok }) => ok), [false]);
  await Deno.rename(file.path, `${file.path}.gone`);
  clock.pass(10_000);
  assert.deepEqual(told.slice(3), [
    { ok: false, problems: [`${file.path} does not exist`] },
  ]);
  await Deno.rename(`${file.path}.gone`, file.path);
  unfollow();
  clock.pass(10_000);
  assert.equal(told.length, 4);
});
