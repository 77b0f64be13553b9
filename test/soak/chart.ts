/** Charts over time as plain SVG: one panel for each series, one time axis, and bands during trouble. */
import type { Point } from "./statistics.ts";

/** One panel. */
export interface Panel {
  readonly title: string;
  readonly points: readonly Point[];
  /** Another series to compare with, drawn dashed. */
  readonly comparison?: readonly Point[];
}

/** A period of trouble, in seconds since the load began. */
export interface Band {
  readonly fromSec: number;
  readonly untilSec: number;
}

/** What is drawn. */
export interface ChartOptions {
  readonly panels: readonly Panel[];
  readonly bands: readonly Band[];
}

const WIDTH = 800;
const LEFT = 64;
const RIGHT = 32;
const PANEL_HEIGHT = 150;
const TOP = 34;
const FOOT = 30;
const INNER_WIDTH = WIDTH - LEFT - RIGHT;
const INNER_HEIGHT = PANEL_HEIGHT - TOP - 10;

const STYLE = `
text{font:12px system-ui,sans-serif;fill:#24292f}
.title{font-weight:600}
.grid{stroke:#d0d7de}
.band{fill:#bc4c00;opacity:.12}
.line{fill:none;stroke:#0550ae;stroke-width:1.5;stroke-linejoin:round}
.comparison{stroke-dasharray:4 4;opacity:.7}
@media(prefers-color-scheme:dark){
text{fill:#e6edf3}.grid{stroke:#30363d}.band{fill:#f0883e;opacity:.2}.line{stroke:#79c0ff}
}`;

/** The smallest number not below `value` that is 1, 2 or 5 times a power of ten. */
export function niceCeiling(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const factor = [1, 2, 5, 10].find((factor) => factor * power >= value) ?? 10;
  return factor * power;
}

function round(value: number): string {
  return String(Math.round(value * 10) / 10);
}

/** Tick positions of an axis from 0 to `top`, six at most. */
function ticks(top: number): number[] {
  const step = niceCeiling(top / 5);
  return Array.from({ length: Math.floor(top / step) + 1 }, (_, i) => i * step);
}

function panelMarkup(
  { title, points, comparison = [] }: Panel,
  { top, endSec }: { top: number; endSec: number },
): string {
  const base = top + TOP + INNER_HEIGHT;
  const values = [...points, ...comparison].map(({ value }) => value);
  const highest = Math.max(...values, 0);
  const limit = highest > 0 ? highest * 1.08 : 1;
  const grid = ticks(limit).map((tick) => {
    const y = round(base - tick / limit * INNER_HEIGHT);
    return `<line class="grid" x1="${LEFT}" x2="${
      WIDTH - RIGHT
    }" y1="${y}" y2="${y}"/>` +
      `<text x="${LEFT - 8}" y="${y}" dy="4" text-anchor="end">${
        round(tick)
      }</text>`;
  });

  function line(points: readonly Point[], kind: string): string {
    const pairs = points.map(({ atSec, value }) =>
      `${round(LEFT + atSec / endSec * INNER_WIDTH)},${
        round(base - value / limit * INNER_HEIGHT)
      }`
    );
    return `<polyline class="${kind}" points="${pairs.join(" ")}"/>`;
  }

  return `<text class="title" x="${LEFT}" y="${top + 20}">${title}</text>` +
    grid.join("") + line(points, "line") +
    (comparison.length === 0 ? "" : line(comparison, "line comparison"));
}

/** Draws a chart; titles are plain text without markup. */
export function drawChart({ panels, bands }: ChartOptions): string {
  const height = panels.length * PANEL_HEIGHT + FOOT;
  const seconds = panels.flatMap(({ points }) =>
    points.map(({ atSec }) => atSec)
  );
  const endSec = Math.max(...seconds, 1);
  const troubles = bands.map(({ fromSec, untilSec }) => {
    const x = LEFT + fromSec / endSec * INNER_WIDTH;
    const width = Math.max(1, (untilSec - fromSec) / endSec * INNER_WIDTH);
    return `<rect class="band" x="${round(x)}" y="${TOP}" width="${
      round(width)
    }" height="${height - FOOT - TOP}"/>`;
  });
  const drawn = panels.map((panel, i) =>
    panelMarkup(panel, { top: i * PANEL_HEIGHT, endSec })
  );
  const times = ticks(endSec / 60).map((minute) =>
    `<text x="${round(LEFT + minute * 60 / endSec * INNER_WIDTH)}" y="${
      height - 10
    }" text-anchor="middle">${round(minute)} min</text>`
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${
    panels.map(({ title }) => title).join("; ")
  } over time"><style>${STYLE}</style>${
    [...troubles, ...drawn, ...times].join("\n")
  }</svg>\n`;
}
