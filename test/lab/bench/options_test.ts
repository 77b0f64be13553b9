import assert from "node:assert/strict";
import { parseOptions } from "./options.ts";

function parse(...args: readonly string[]) {
  return parseOptions(args, ["public", "start"]);
}

Deno.test("bench measures scenarios and peers by name", () => {
  const { only, peers } = parse(
    ...["--only", "public, start"],
    ...["--peer", "go=http://127.0.0.1:4100"],
    ...["--peer", "x=http://127.0.0.1:5/"],
  );

  assert.deepEqual(only, ["public", "start"]);
  assert.deepEqual(peers, [{ name: "go", port: 4100 }, { name: "x", port: 5 }]);
});

Deno.test("bench sends load to peers on this machine only", () => {
  const peers = [
    "go=http://192.0.2.1:4100",
    "go=http://localhost:4100",
    "go=https://127.0.0.1:4100",
    "go=http://127.0.0.1",
    "go=http://127.0.0.1:4100/path",
    "http://127.0.0.1:4100",
    "=http://127.0.0.1:4100",
  ];

  for (const peer of peers) {
    assert.throws(() => parse("--peer", peer), /^Error: Not a peer/);
  }
});

Deno.test("bench refuses scenarios that do not exist, two ways to run at once, and saving a part", () => {
  assert.throws(() => parse("--only", "publik"), /No such scenario: publik/);
  assert.throws(() => parse("--all", "--growth"), /exclude each other/);
  assert.throws(
    () => parse("--only", "start", "--profile", "public"),
    /exclude each other/,
  );
  assert.throws(() => parse("--only", "start", "--save"), /complete runs/);
  assert.throws(() => parse("--quick", "--save"), /complete runs/);
  assert.throws(() => parse("--quick", "--all"), /exclude each other/);
  assert.throws(
    () => parse("--against", "main", "--all"),
    /exclude each other/,
  );
  assert.throws(() => parse("--against", "main", "--save"), /complete runs/);
  assert.throws(() => parse("--fast"), TypeError);
});

Deno.test("bench compares named scenarios with those of another commit", () => {
  const { against, only } = parse("--against", "HEAD~1", "--only", "public");
  assert.deepEqual({ against, only }, { against: "HEAD~1", only: ["public"] });
});

Deno.test("bench compares with the anchor, thoroughly or quickly", () => {
  const { against, quick } = parse("--against", "anchor", "--quick");
  assert.deepEqual({ against, quick }, { against: "anchor", quick: true });
});

Deno.test("bench walks from one commit to another, by steps of so many landings", () => {
  const { walk, only } = parse(
    ...["--walk", "7197136..HEAD", "--every", "20", "--only", "public"],
  );
  assert.deepEqual(walk, { from: "7197136", to: "HEAD", every: 20 });
  assert.deepEqual(only, ["public"]);
  assert.equal(parse("--walk", "a..b").walk?.every, undefined);
  assert.throws(() => parse("--walk", "7197136"), /Not a range of commits/);
  assert.throws(() => parse("--walk", "a..b", "--every", "0"), /above zero/);
  assert.throws(() => parse("--every", "2"), /steps of --walk/);
  assert.equal(parse("--walk", "a..b", "--alone").alone, true);
  assert.throws(() => parse("--alone"), /a way to compare/);
  assert.throws(() => parse("--walk", "a..b", "--against", "c"), /exclude/);
  assert.throws(() => parse("--walk", "a..b", "--save"), /complete runs/);
});
