/** Generated from the folders of src/features (`deno task gen`): add or delete those, and leave this file. */
import { abuse } from "../src/features/abuse/abuse_feature.ts";
import { accessPage } from "../src/features/access_page/access_page_feature.ts";
import { basePage } from "../src/features/base_page/base_page_feature.ts";
import { brand } from "../src/features/brand/brand_feature.ts";
import { buildLogs } from "../src/features/build_logs/build_logs_feature.ts";
import { embeds } from "../src/features/embeds/embeds_feature.ts";
import { handover } from "../src/features/handover/handover_feature.ts";
import { identity } from "../src/features/identity/identity_feature.ts";
import { inspect } from "../src/features/inspect/inspect_feature.ts";
import { machineTokens } from "../src/features/machine_tokens/machine_tokens_feature.ts";
import { names } from "../src/features/names/names_feature.ts";
import { previewState } from "../src/features/preview_state/preview_state_feature.ts";
import { shares } from "../src/features/shares/shares_feature.ts";
import { status } from "../src/features/status/status_feature.ts";
import { trustedIssuers } from "../src/features/trusted_issuers/trusted_issuers_feature.ts";
import { usage } from "../src/features/usage/usage_feature.ts";
import { wake } from "../src/features/wake/wake_feature.ts";
import { warning } from "../src/features/warning/warning_feature.ts";
import { webhooks } from "../src/features/webhooks/webhooks_feature.ts";
import type { FeatureModule } from "../src/gateway/feature_module.ts";

/** All features. They are asked in this order, but where one says that it comes before another. */
export const FEATURES: readonly FeatureModule[] = Object.freeze([
  abuse,
  accessPage,
  basePage,
  brand,
  buildLogs,
  embeds,
  handover,
  identity,
  inspect,
  machineTokens,
  names,
  previewState,
  shares,
  status,
  trustedIssuers,
  usage,
  wake,
  warning,
  webhooks,
]);
