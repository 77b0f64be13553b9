import assert from "node:assert/strict";

/** A metric as a scraper sees it. */
export interface ParsedFamily {
  readonly type: string;
  readonly help: string;
  /** Values by name and labels, exactly as written. */
  readonly samples: ReadonlyMap<string, number>;
}

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const LABEL = String.raw`[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\n"])*"`;
const HELP = new RegExp(String.raw`^# HELP (${NAME}) ((?:[^\\\n]|\\[\\n])*)$`);
const TYPE = new RegExp(`^# TYPE (${NAME}) (counter|gauge|histogram)$`);
const SAMPLE = new RegExp(
  String.raw`^(${NAME})(?:\{(${LABEL}(?:,${LABEL})*)\})? (\S+)$`,
);

function match(pattern: RegExp, line: string | undefined): string[] {
  const found = pattern.exec(line ?? "");
  assert.ok(found, `${line} is not ${pattern}`);
  return found.slice(1).map((group) => group ?? "");
}

function numberOf(text: string): number {
  if (text === "+Inf") return Infinity;
  assert.match(text, /^(NaN|-?\d+(\.\d+)?(e[+-]\d+)?)$/);
  return Number(text);
}

/** Asserts that buckets ascend and are cumulative, and that the last one is +Inf and equals the count. */
function checkHistogram(name: string, samples: Map<string, number>): void {
  let below = -Infinity;
  let value = 0;
  for (const [id, next] of samples) {
    if (id.startsWith(`${name}_bucket{`)) {
      const [bound = ""] = match(/[{,]le="([^"]+)"\}$/, id);
      assert.ok(numberOf(bound) > below, id);
      assert.ok(next >= value, id);
      below = numberOf(bound);
      value = next;
    } else if (id.startsWith(`${name}_count`)) {
      assert.equal(below, Infinity, id);
      assert.equal(next, value, id);
      below = -Infinity;
      value = 0;
    } else {
      assert.ok(id.startsWith(`${name}_sum`), id);
    }
  }
  assert.equal(below, -Infinity);
}

/** Parses the text exposition format 0.0.4, strictly. */
export function parseExposition(text: string): Map<string, ParsedFamily> {
  assert.ok(text.endsWith("\n"));
  const lines = text.slice(0, -1).split("\n");
  const families = new Map<string, ParsedFamily>();
  for (let line = lines.shift(); line !== undefined; line = lines.shift()) {
    const [name = "", help = ""] = match(HELP, line);
    const [typed = "", type = ""] = match(TYPE, lines.shift());
    assert.equal(typed, name);
    assert.ok(!families.has(name), `${name} comes twice`);
    const samples = new Map<string, number>();
    while (lines[0] !== undefined && !lines[0].startsWith("#")) {
      const sample = lines.shift() ?? "";
      const [sampled = "", labels = "", value = ""] = match(SAMPLE, sample);
      const suffix = sampled.slice(name.length);
      assert.equal(sampled, `${name}${suffix}`);
      assert.match(
        suffix,
        type === "histogram" ? /^_(bucket|sum|count)$/ : /^$/,
      );
      const id = labels === "" ? sampled : `${sampled}{${labels}}`;
      assert.ok(!samples.has(id), `${id} comes twice`);
      samples.set(id, numberOf(value));
    }
    if (type === "histogram") checkHistogram(name, samples);
    families.set(name, { type, help, samples });
  }
  return families;
}

/** All values of the text by name and labels. */
export function samplesOf(text: string): Map<string, number> {
  const families = [...parseExposition(text).values()];
  return new Map(families.flatMap(({ samples }) => [...samples]));
}
