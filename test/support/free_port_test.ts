import assert from "node:assert/strict";
import { freePorts } from "./free_port.ts";

Deno.test("free ports are distinct, and none is one that is never public, although the system may give it", () => {
  const given: (Disposable & { addr: { port: number } })[] = [
    33333,
    40_001,
    22222,
    40_002,
  ].map((port) => ({ addr: { port }, [Symbol.dispose]() {} }));
  const ports = freePorts(2, () => {
    const next = given.shift();
    assert(next !== undefined);
    return next;
  });
  assert.deepEqual(ports, [40_001, 40_002]);
});
