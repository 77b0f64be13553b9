import assert from "node:assert/strict";
import { type CpuProfile, summarizeProfile } from "./cpu_profile.ts";

const SRC = "file:///home/porthole/src";

type Call = readonly [
  name: string,
  url: string,
  micros: number,
  calls?: readonly Call[],
];

/** A profile of a call tree, with one sample for each call. */
function profileOf(...roots: readonly Call[]): CpuProfile {
  const nodes: CpuProfile["nodes"][number][] = [];
  const samples: number[] = [];
  const timeDeltas: number[] = [];
  function visit([functionName, url, micros, calls = []]: Call): number {
    const children = calls.map(visit);
    const id = nodes.length + 1;
    nodes.push({ id, callFrame: { functionName, url }, children });
    samples.push(id);
    timeDeltas.push(micros);
    return id;
  }
  roots.forEach(visit);
  return { nodes, samples, timeDeltas };
}

Deno.test("summarizeProfile() attributes the platform's work to the gateway's function that called it", () => {
  const summary = summarizeProfile(profileOf(
    ["relay", `${SRC}/gateway/exchange.ts`, 10, [
      ["Response", "ext:deno_fetch/23_response.js", 20, [["op_x", "", 30]]],
      ["write", `${SRC}/upstream/http1/connection.ts`, 20, [[
        "op_write",
        "",
        20,
      ]]],
    ]],
  ));

  assert.deepEqual(summary.own, [
    { name: "relay src/gateway/exchange.ts", share: 0.6 },
    { name: "write src/upstream/http1/connection.ts", share: 0.4 },
  ]);
  assert.deepEqual(summary.categories, [
    { name: "operations", share: 0.5 },
    { name: "platform JavaScript", share: 0.2 },
    { name: "src/upstream", share: 0.2 },
    { name: "src/gateway", share: 0.1 },
  ]);
});

Deno.test("summarizeProfile() adds up the calls of one function from several places", () => {
  const { functions } = summarizeProfile(profileOf(
    ["a", `${SRC}/gateway/a.ts`, 25, [["op_now", "", 25]]],
    ["b", `${SRC}/gateway/b.ts`, 0, [["op_now", "", 50]]],
  ));

  assert.deepEqual(functions.slice(0, 2), [
    { name: "op_now", share: 0.75 },
    { name: "a src/gateway/a.ts", share: 0.25 },
  ]);
});

Deno.test("summarizeProfile() ignores idle time and the work that only an inspector causes", () => {
  const { categories } = summarizeProfile(profileOf(
    ["(idle)", "", 1_000],
    ["send", `${SRC}/proxy/tunnel.ts`, 40, [
      ["emit", "ext:deno_node/inspector_network_bridge.js", 500, [
        ["op_base64_encode", "", 500],
      ]],
    ]],
    ["(garbage collector)", "", 60],
  ));

  assert.deepEqual(categories, [
    { name: "(garbage collector)", share: 0.6 },
    { name: "src/proxy", share: 0.4 },
  ]);
});

Deno.test("summarizeProfile() does not count a package's own src/ folder as the gateway's", () => {
  const { categories } = summarizeProfile(profileOf(
    ["get", "file:///cache/npm/registry/p-limit/7.0.0/src/index.ts", 1],
  ));

  assert.deepEqual(categories, [{ name: "packages", share: 1 }]);
});
