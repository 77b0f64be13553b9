/** Plots as SVG: panels, one above the other, over the same logarithmic axis; no fonts are embedded. */

/** A quantity to plot. */
export interface Panel {
  readonly title: string;
  /** One value for each position. */
  readonly values: readonly number[];
}

/** What to draw. */
export interface Plot {
  readonly title: string;
  readonly axis: string;
  /** Positive and in ascending order. */
  readonly positions: readonly number[];
  readonly panels: readonly Panel[];
}

const WIDTH = 640;
const PANEL_HEIGHT = 180;
const LEFT = 70;
const RIGHT = 30;
const TOP = 50;
const GAP = 40;
const BOTTOM = 50;

const INK = "#1f2328";
const GRID = "#d1d9e0";
const LINE = "#0969da";

/** The smallest round number that is not less than `value`. */
export function ceiling(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 2.5, 5, 10].find((step) => step * power >= value) ?? 10;
  return step * power;
}

/** Formats a number of any size in few characters. */
export function short(value: number): string {
  if (value >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`;
  if (value >= 1e4) return `${Number((value / 1e3).toPrecision(3))}k`;
  return `${Number(value.toPrecision(4))}`;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}

interface TextOptions {
  readonly x: number;
  readonly y: number;
  readonly anchor?: "start" | "middle" | "end";
  readonly size?: number;
}

function label(
  text: string,
  { x, y, anchor = "start", size = 12 }: TextOptions,
): string {
  return `<text x="${x.toFixed(1)}" y="${
    y.toFixed(1)
  }" text-anchor="${anchor}" font-size="${size}" fill="${INK}">${
    escape(text)
  }</text>`;
}

function rule(y: number): string {
  return `<line x1="${LEFT}" x2="${
    WIDTH - RIGHT
  }" y1="${y}" y2="${y}" stroke="${GRID}"/>`;
}

/** Draws the plot; lengths are pixels. */
export function drawPlot({ title, axis, positions, panels }: Plot): string {
  const height = TOP + panels.length * (PANEL_HEIGHT + GAP) - GAP + BOTTOM;
  const logs = positions.map(Math.log10);
  const from = Math.min(...logs);
  const range = Math.max(...logs) - from || 1;
  const xs = logs.map((log) =>
    LEFT + (log - from) / range * (WIDTH - LEFT - RIGHT)
  );
  const elements = [label(title, { x: LEFT, y: 22, size: 15 })];
  panels.forEach(({ title, values }, index) => {
    const top = TOP + index * (PANEL_HEIGHT + GAP);
    const base = top + PANEL_HEIGHT;
    const most = ceiling(Math.max(...values));
    for (const part of [0, 0.5, 1]) {
      const y = base - part * PANEL_HEIGHT;
      elements.push(
        rule(y),
        label(short(most * part), { x: LEFT - 8, y: y + 4, anchor: "end" }),
      );
    }
    elements.push(label(title, { x: LEFT, y: top - 8 }));
    const points = values.map((value, at) =>
      [xs[at] ?? 0, base - value / most * PANEL_HEIGHT] as const
    );
    elements.push(
      `<polyline fill="none" stroke="${LINE}" stroke-width="2" points="${
        points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ")
      }"/>`,
      ...points.map(([x, y]) =>
        `<circle cx="${x.toFixed(1)}" cy="${
          y.toFixed(1)
        }" r="3.5" fill="${LINE}"/>`
      ),
    );
  });
  const axisY = height - BOTTOM + 18;
  positions.forEach((position, at) => {
    const x = xs[at] ?? 0;
    elements.push(label(short(position), { x, y: axisY, anchor: "middle" }));
  });
  const middle = (LEFT + WIDTH - RIGHT) / 2;
  elements.push(label(axis, { x: middle, y: axisY + 22, anchor: "middle" }));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif">`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    ...elements,
    "</svg>\n",
  ].join("\n");
}
