import assert from "node:assert/strict";
import { plotGrowth } from "./growth.ts";
import { benchText, fillRegion, growthText, plotFile } from "./page.ts";
import { ceiling, drawPlot, short } from "./plot.ts";
import { judge } from "./report.ts";
import { TARGETS } from "./targets.ts";

const MACHINE = {
  processor: "Example CPU",
  processors: 2,
  memoryGib: 8,
  system: "linux 6.1",
  loadAverage: 0.1,
  versions: { deno: "2.9.6", nginx: "1.26.3" },
};

Deno.test("fillRegion() replaces what is between the marks and nothing else", () => {
  const page = "a\n\n<!-- bench:start -->\n\nold\n\n<!-- bench:end -->\n\nb\n";

  assert.equal(
    fillRegion(page, "bench", "new\n"),
    "a\n\n<!-- bench:start -->\n\nnew\n\n<!-- bench:end -->\n\nb\n",
  );
  assert.throws(() => fillRegion(page, "growth", ""), /no region 'growth'/);
});

Deno.test("benchText() has the machine, and a row for every target of what was measured", () => {
  const results = [{
    scenario: { name: "start", about: "start to first answer" },
    outcome: {
      quantity: "ms",
      rows: [{ contestant: "gateway", rounds: [{ ms: 300 }, { ms: 310 }] }],
      figures: [{
        name: "first answer",
        value: { median: 305, min: 300, max: 310 },
      }],
    },
  }];
  const text = benchText(MACHINE, results, judge(results, TARGETS));

  assert.match(text, /2 × Example CPU, 8 GiB, linux 6\.1, with deno 2\.9\.6/);
  assert.match(
    text,
    /^\| `start` \| first answer \| 305 \| 300 to 310 \| at most 400 ms \| met \|$/m,
  );
  assert(!text.includes("`public`"));
});

const CURVE = {
  name: "connections",
  title: "Connections & more",
  axis: "connections",
  points: [
    { at: 10, requestsPerSec: 8_000, memoryMib: 90 },
    { at: 1_000, requestsPerSec: 4_000, memoryMib: 180 },
  ],
};

Deno.test("growthText() shows the plot of every curve", () => {
  const text = growthText(MACHINE, [CURVE]);

  assert(text.includes(`![${CURVE.title}](${plotFile(CURVE)})`), text);
});

Deno.test("drawPlot() puts positions on a logarithmic axis and values under their ceiling", () => {
  const svg = drawPlot({
    title: "t",
    axis: "x",
    positions: [1, 10, 100],
    panels: [{ title: "p", values: [0, 5, 10] }],
  });
  const [, points = ""] = /points="([^"]*)"/.exec(svg) ?? [];
  const [first, second, third] = points.split(" ").map((point) =>
    point.split(",").map(Number)
  );

  assert(first !== undefined && second !== undefined && third !== undefined);
  const [[x1 = 0, y1 = 0], [x2 = 0, y2 = 0], [x3 = 0, y3 = 0]] = [
    first,
    second,
    third,
  ];
  assert.equal(x2 - x1, x3 - x2);
  assert.equal(y1 - y2, y2 - y3);
  assert(y3 < y1);
});

Deno.test("plotGrowth() is text without fonts or anything else from elsewhere, and its words are escaped", () => {
  const svg = plotGrowth(CURVE);

  assert(svg.includes("Connections &amp; more"));
  assert.deepEqual(svg.match(/https?:[^"]*/g), ["http://www.w3.org/2000/svg"]);
  assert.equal(svg.match(/<polyline/g)?.length, 2);
});

Deno.test("ceiling() is the next round number, short() says it in few characters", () => {
  assert.deepEqual([0, 1, 1.2, 16_800, 26].map(ceiling), [1, 1, 2, 20_000, 50]);
  assert.deepEqual([7, 1_024, 65_536, 4_194_304].map(short), [
    "7",
    "1024",
    "65.5k",
    "4.19M",
  ]);
});
