/** Line charts as SVG: panels above each other that share a horizontal axis. Nothing is embedded or loaded. */

/** A point: its position on the horizontal axis, which is positive, and its value. */
export type Point = readonly [position: number, value: number];

/** A quantity; its axis starts at zero. */
export interface Panel {
  readonly title: string;
  /** In ascending order of position. */
  readonly points: readonly Point[];
}

/** The content of a chart. */
export interface Chart {
  readonly title: string;
  /** The name of the positions, which are on a logarithmic scale, and labelled one by one. */
  readonly axis: string;
  readonly panels: readonly Panel[];
}

// Lengths are pixels.
const WIDTH = 720;
const LEFT = 64;
const RIGHT = 28;
const TOP = 44;
const PANEL_TITLE = 30;
const PANEL = 130;
const PANEL_GAP = 20;
const BOTTOM = 46;

/** Points are marked if there are so few that the line does not speak for itself. */
const MAX_MARKED = 20;

/** Most steps of an axis. */
const MAX_STEPS = 5;

const STYLE = `
text { font: 12px system-ui, sans-serif; fill: #24292f; }
.title { font-size: 14px; font-weight: 600; }
.paper { fill: #ffffff; }
.grid { stroke: #d0d7de; }
.line { fill: none; stroke: #0550ae; stroke-width: 2; stroke-linejoin: round; }
.dot { fill: #0550ae; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .paper { fill: #0d1117; }
  .grid { stroke: #30363d; }
  .line { stroke: #79c0ff; }
  .dot { fill: #79c0ff; }
}
`;

/**
 * The smallest of 1, 2 and 5 times a power of ten that is not below `value`; 1 for zero.
 *
 * @example
 * niceCeiling(13); // 20
 */
export function niceCeiling(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ([1, 2, 5].find((factor) => factor * power >= value) ?? 10);
}

/**
 * Formats a number of any size in few characters.
 *
 * @example
 * short(65_536); // "65.5k"
 */
export function short(value: number): string {
  if (value >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`;
  if (value >= 1e4) return `${Number((value / 1e3).toPrecision(3))}k`;
  return `${Number(value.toPrecision(4))}`;
}

/** Draws a chart. */
export function drawChart(chart: Chart): string {
  const { title, axis, panels } = chart;
  const height = TOP + panels.length * (PANEL_TITLE + PANEL + PANEL_GAP) +
    BOTTOM - PANEL_GAP;
  const positions = panels.flatMap(({ points }) =>
    points.map(([position]) => position)
  );
  const from = Math.log10(Math.min(...positions));
  const range = Math.log10(Math.max(...positions)) - from || 1;
  function x(position: number): number {
    return LEFT +
      (Math.log10(position) - from) / range * (WIDTH - LEFT - RIGHT);
  }

  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${
      escape(title)
    }">`,
    `<style>${STYLE}</style>`,
    `<marker id="dot" viewBox="-4 -4 8 8" markerWidth="4" markerHeight="4"><circle class="dot" r="3.5"/></marker>`,
    `<rect class="paper" width="${WIDTH}" height="${height}"/>`,
    text(title, { x: LEFT, y: 24, kind: "title" }),
    ...panels.map((panel, index) =>
      drawPanel(panel, {
        top: TOP + index * (PANEL_TITLE + PANEL + PANEL_GAP) + PANEL_TITLE,
        x,
      })
    ),
    ...[...new Set(positions)].map((at) =>
      text(short(at), { x: x(at), y: height - BOTTOM + 18, anchor: "middle" })
    ),
    text(axis, {
      x: (LEFT + WIDTH - RIGHT) / 2,
      y: height - BOTTOM + 36,
      anchor: "middle",
    }),
    "</svg>\n",
  ].join("\n");
}

function drawPanel(
  { title, points }: Panel,
  { top, x }: {
    readonly top: number;
    readonly x: (position: number) => number;
  },
): string {
  const values = points.map(([, y]) => y);
  const steps = stepsTo(Math.max(...values, 0));
  const most = steps.at(-1) ?? 1;
  function y(value: number): number {
    return top + PANEL - value / most * PANEL;
  }
  return [
    text(title, { x: LEFT, y: top - 10 }),
    ...steps.flatMap((step) => [
      line("grid", [[LEFT, y(step)], [WIDTH - RIGHT, y(step)]]),
      text(short(step), { x: LEFT - 8, y: y(step) + 4, anchor: "end" }),
    ]),
    line(
      "line",
      points.map(([at, value]) => [x(at), y(value)]),
      points.length <= MAX_MARKED,
    ),
  ].join("\n");
}

/** The positions of an axis's labels, from 0 to the first one that is not below `most`. */
function stepsTo(most: number): number[] {
  const step = niceCeiling(most / MAX_STEPS);
  const count = Math.max(1, Math.ceil(most / step));
  return Array.from({ length: count + 1 }, (_, index) => index * step);
}

function line(
  kind: string,
  points: readonly Point[],
  isMarked = false,
): string {
  const marks = isMarked
    ? ["start", "mid", "end"].map((at) => ` marker-${at}="url(#dot)"`).join("")
    : "";
  return `<polyline class="${kind}"${marks} points="${
    points.map((point) => point.map(round).join(",")).join(" ")
  }"/>`;
}

function text(
  content: string,
  { x, y, anchor, kind }: {
    readonly x: number;
    readonly y: number;
    readonly anchor?: "middle" | "end";
    readonly kind?: string;
  },
): string {
  const attributes = [
    kind === undefined ? "" : ` class="${kind}"`,
    anchor === undefined ? "" : ` text-anchor="${anchor}"`,
  ].join("");
  return `<text x="${round(x)}" y="${round(y)}"${attributes}>${
    escape(content)
  }</text>`;
}

/** Enough of a pixel's digits. */
function round(value: number): string {
  return `${Math.round(value * 10) / 10}`;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")
    .replaceAll('"', "&quot;");
}
