import { daytonaTypes, gatewayDescription } from "./apis.ts";
import type { Artefact } from "./artefact.ts";
import { daytonaClients } from "./clients.ts";
import { errorsPage } from "./errors_page.ts";
import { licences } from "./licences.ts";
import { metricsPage } from "./metrics_page.ts";
import { prometheusRule } from "./prometheus_rule.ts";
import { settingsPage } from "./settings_page.ts";

/** Every file that is generated, but for the texts that the gateway's source imports. */
export const ARTEFACTS: readonly Artefact[] = [
  daytonaTypes,
  daytonaClients,
  gatewayDescription,
  settingsPage,
  errorsPage,
  metricsPage,
  prometheusRule,
  licences,
];
