import assert from "node:assert/strict";
import { UsageError } from "../../support/options.ts";
import { parseOptions } from "./options.ts";

const ATTACKS = ["S1-pongs", "S1-pings", "S10-chunks"];

function parse(...args: string[]) {
  return parseOptions(args, ATTACKS);
}

Deno.test("an attack suite runs everything, over plain HTTP and over TLS, in 256 MiB, unless it is told otherwise", () => {
  const { minutes, only, short, schemes, memoryMib, folder } = parse();

  assert.equal(minutes, undefined);
  assert.equal(only, undefined);
  assert.equal(short, false);
  assert.deepEqual(schemes, ["http", "https"]);
  assert.equal(memoryMib, 256);
  assert.equal(folder, undefined);
});

Deno.test("an attack suite can be narrowed to attacks, groups of attacks and one transport", () => {
  assert.deepEqual(parse("--only", "S1, S10-chunks").only, [
    "S1",
    "S10-chunks",
  ]);
  assert.deepEqual(parse("--plain").schemes, ["http"]);
  assert.deepEqual(parse("--tls").schemes, ["https"]);
  assert.deepEqual(parse("--plain", "--tls").schemes, ["http", "https"]);
});

Deno.test("an attack suite takes slow floods of any size instead of its own attacks", () => {
  assert.deepEqual(parse("--slow", "messages:300:25:15,heads:9:1:1:0.5").slow, [
    { kind: "messages", holders: 300, rate: 25, addresses: 15, awaySec: 1 },
    { kind: "heads", holders: 9, rate: 1, addresses: 1, awaySec: 0.5 },
  ]);
  for (const flood of ["pages:1:1:1", "messages", "messages:1:0:1"]) {
    assert.throws(() => parse("--slow", flood), UsageError, flood);
  }
});

Deno.test("a soak takes its minutes, and the checkout whose gateway is soaked", () => {
  const { minutes, folder } = parse("--minutes", "0.5", "--gateway", "old");
  assert.equal(minutes, 0.5);
  assert.equal(folder, "old");
});

Deno.test("an attack suite refuses unknown attacks, no memory or time, a soak of chosen attacks, and to save a part of its results", () => {
  for (
    const args of [
      ["--only", "S2"],
      ["--only", "S"],
      ["--short", "--only", "S1"],
      ["--memory", "0"],
      ["--save", "--short"],
      ["--save", "--tls"],
      ["--save", "--slow", "heads:1:1:1"],
      ["--save", "--gateway", "elsewhere"],
      ["--minutes", "0"],
      ["--minutes", "2", "--short"],
      ["--minutes", "2", "--memory", "512"],
    ]
  ) assert.throws(() => parse(...args), UsageError, args.join(" "));
  assert.throws(() => parse("--bogus"), TypeError);
});
