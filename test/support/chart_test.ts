import assert from "node:assert/strict";
import { drawChart, niceCeiling, short } from "./chart.ts";

/** The points of all lines with a class, as numbers. */
function linesOf(svg: string, kind: string): number[][][] {
  const lines = svg.matchAll(
    new RegExp(`<polyline class="${kind}"[^>]* points="([^"]*)"`, "g"),
  );
  return [...lines].map(([, points = ""]) =>
    points.split(" ").filter(Boolean).map((pair) => pair.split(",").map(Number))
  );
}

Deno.test("drawChart() puts values above each other by their size, and positions by their ratio on a logarithmic axis", () => {
  const svg = drawChart({
    title: "Growth",
    axis: "bytes",
    panels: [{ title: "Rate", points: [[1, 0], [10, 5], [100, 10]] }],
  });

  const [
    [[x1 = 0, y1 = 0], [x2 = 0, y2 = 0], [x3 = 0, y3 = 0]] = [[], [], []],
  ] = linesOf(svg, "line") as [number[], number[], number[]][];
  assert.equal(x2 - x1, x3 - x2);
  assert.equal(y1 - y2, y2 - y3);
  assert(y3 < y1);
});

Deno.test("drawChart() stays within the picture, also without a point", () => {
  const svg = drawChart({
    title: "Growth",
    axis: "connections",
    panels: [
      { title: "Memory", points: [[1, 0], [60, 3000], [120, 1.5]] },
      { title: "Nothing", points: [] },
    ],
  });

  const [, width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg) ?? [];
  const points = linesOf(svg, "line").flat();
  assert.equal(points.length, 3);
  for (const [x = NaN, y = NaN] of points) {
    assert(x >= 0 && x <= Number(width), `${x}`);
    assert(y >= 0 && y <= Number(height), `${y}`);
  }
  assert.doesNotMatch(svg, /NaN|Infinity/);
});

Deno.test("drawChart() escapes its words, and refers to nothing elsewhere", () => {
  const svg = drawChart({ title: 'a & b < "c"', axis: "x", panels: [] });

  assert(svg.includes(">a &amp; b &lt; &quot;c&quot;</text>"));
  assert.deepEqual(svg.match(/https?:[^"]*/g), ["http://www.w3.org/2000/svg"]);
});

Deno.test("niceCeiling() is the next number that people read easily, short() writes it in few characters", () => {
  assert.deepEqual([0, 0.3, 1, 13, 47, 51].map(niceCeiling), [
    ...[1, 0.5, 1, 20, 50, 100],
  ]);
  assert.deepEqual([7, 1_024, 65_536, 4_194_304].map(short), [
    ...["7", "1024", "65.5k", "4.19M"],
  ]);
});
