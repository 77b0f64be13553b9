/** The alerts as Prometheus' operator takes them on Kubernetes. */
import type { Artefact } from "./artefact.ts";
import { formatted } from "./text.ts";

const SOURCE = new URL("../deploy/prometheus-rules.yaml", import.meta.url);

const HEAD =
  `# Generated from scripts/deploy/prometheus-rules.yaml by \`deno task gen\`: do not edit.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: porthole
spec:
`;

/** The PrometheusRule of the component for monitoring. */
export const prometheusRule: Artefact = {
  path: "scripts/deploy/kubernetes/components/monitoring/prometheus-rule.yaml",
  produce: async () =>
    await formatted(ruleText(await Deno.readTextFile(SOURCE)), "yaml"),
};

/** The object whose groups are those of a file of rules, as text. */
export function ruleText(rules: string): string {
  const groups = rules.slice(rules.search(/^groups:$/m));
  return HEAD + groups.replaceAll(/^(?=.)/gm, "  ");
}
