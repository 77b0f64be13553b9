import assert from "node:assert/strict";
import { parseOptions } from "./options.ts";

const DEFAULTS = {
  only: undefined,
  all: false,
  growth: false,
  profile: undefined,
  json: false,
  save: false,
  peers: [],
};

Deno.test("parseOptions() of nothing asks for nothing in particular", () => {
  assert.deepEqual(parseOptions([]), DEFAULTS);
});

Deno.test("parseOptions() takes names in one list, and peers one by one", () => {
  const options = parseOptions([
    ...["--only", "public, start", "--json", "--save"],
    ...[
      "--peer",
      "go=http://127.0.0.1:4100",
      "--peer",
      "x=http://127.0.0.1:5/",
    ],
  ]);

  assert.deepEqual(options, {
    ...DEFAULTS,
    only: ["public", "start"],
    json: true,
    save: true,
    peers: [{ name: "go", port: 4100 }, { name: "x", port: 5 }],
  });
});

Deno.test("parseOptions() refuses peers that are not on this machine, or no origins", () => {
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
    assert.equal(
      parseOptions(["--peer", peer]),
      `Not a peer on 127.0.0.1: '${peer}'`,
    );
  }
});

Deno.test("parseOptions() refuses two ways to run at once, and options that there are not", () => {
  assert.match(`${parseOptions(["--all", "--growth"])}`, /^Only one of/);
  assert.match(
    `${parseOptions(["--only", "start", "--profile", "public"])}`,
    /^Only one of/,
  );
  assert.match(`${parseOptions(["--fast"])}`, /--fast/);
});
