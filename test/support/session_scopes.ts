/** What the cookies of logins can be for: hosts, too, where a feature keeps such logins. */
import { FEATURES } from "../../src/modules.ts";

const keepsLogins = FEATURES.some(({ name }) => name === "handover");

export const SESSION_SCOPES: readonly string[] = keepsLogins
  ? ["sandbox", "host"]
  : ["sandbox"];
