/** The page of all metrics, generated from their definitions. */
import {
  buildInfo,
  METRICS,
} from "../../src/observability/metrics/definitions.ts";
import type { Definition } from "../../src/observability/metrics/instruments.ts";
import type { Artefact } from "./artefact.ts";
import { formatted } from "./text.ts";

const HEAD = `# Metrics

What \`METRICS_PORT\` serves at \`/metrics\`, for Prometheus. This page is
generated (\`deno task gen\`). [What to do with them](operate.md#metrics).

What ends in \`_total\` is a counter, and what has no type is a gauge. The values
of each label are a closed list; anything else counts as \`other\`. Durations are
in whole milliseconds, though their unit is seconds.

`;

/** docs/metrics.md. */
export const metricsPage: Artefact = {
  path: "docs/metrics.md",
  produce: () => {
    const metrics: readonly Definition[] = [
      ...Object.values(METRICS),
      buildInfo(""),
    ];
    return formatted(HEAD + metrics.map(entry).join(""), "md");
  },
};

function entry({ name, type, labels = {}, help }: Definition): string {
  const names = Object.keys(labels).map((label) => `\`${label}\``);
  const kind = [
    ...type === "histogram" ? [type] : [],
    ...names.length > 0 ? [`by ${names.join(", ")}`] : [],
  ].join(" ");
  return `- **\`${name}\`**${kind === "" ? "" : ` (${kind})`}: ${help}\n`;
}
