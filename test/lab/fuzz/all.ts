/** All properties, and all kinds of input whose processing time is measured. */
import { appOriginProperties } from "./app_origin.ts";
import { bodyProperties } from "./bodies.ts";
import { cookieProperties } from "./cookies.ts";
import { credentialProperties } from "./credentials.ts";
import { frameProperties } from "./frames.ts";
import type { Growth } from "./growth.ts";
import { addressGrowths } from "./growth_addresses.ts";
import { headerGrowths } from "./growth_headers.ts";
import { textGrowths } from "./growth_texts.ts";
import { wireGrowths } from "./growth_wire.ts";
import { headCostProperties } from "./head_costs.ts";
import { headerProperties } from "./headers.ts";
import { headProperties } from "./heads.ts";
import { hostProperties } from "./hosts.ts";
import { pathProperties } from "./paths.ts";
import type { Property } from "./property.ts";
import { queryProperties } from "./queries.ts";
import { referenceProperties } from "./references.ts";
import { requestWireProperties } from "./requests_wire.ts";
import { responseWireProperties } from "./responses_wire.ts";
import { storedProperties } from "./stored.ts";
import { textProperties } from "./texts.ts";

/** All properties; those that use the network come last. */
export const allProperties: readonly Property[] = [
  ...hostProperties,
  ...pathProperties,
  ...referenceProperties,
  ...cookieProperties,
  ...queryProperties,
  ...headerProperties,
  ...appOriginProperties,
  ...credentialProperties,
  ...headProperties,
  ...bodyProperties,
  ...frameProperties,
  ...textProperties,
  ...storedProperties,
  ...requestWireProperties,
  ...responseWireProperties,
  ...headCostProperties,
];

/** All long inputs. */
export const allGrowths: readonly Growth[] = [
  ...addressGrowths,
  ...headerGrowths,
  ...wireGrowths,
  ...textGrowths,
];
