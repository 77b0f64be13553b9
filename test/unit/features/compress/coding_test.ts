import assert from "node:assert/strict";
import { codingFor } from "../../../../src/features/compress/coding.ts";

Deno.test("a client gets the coding that it takes and prefers, of several ours, and none that it excludes", () => {
  for (
    const [accepted, coding] of [
      ["gzip, deflate, br, zstd", "zstd"],
      ["gzip, deflate, br", "gzip"],
      ["GZIP;Q=0.5", "gzip"],
      ["gzip;q=1.0, zstd; q=0.5", "gzip"],
      ["zstd;q=0, gzip", "gzip"],
      ["zstd;q=0.000, gzip;q=0", undefined],
      ["*", "zstd"],
      ["*, zstd;q=0", "gzip"],
      ["*;q=0", undefined],
      ["gzip, *;q=0", "gzip"],
      ["identity", undefined],
      ["identity;q=1, gzip;q=0.5", undefined],
      ["identity;q=0, gzip;q=0.1", "gzip"],
      ["br, deflate", undefined],
      ["gzip;q=much", undefined],
      ["", undefined],
      [null, undefined],
    ] as const
  ) assert.equal(codingFor(accepted), coding, `${accepted}`);
});
