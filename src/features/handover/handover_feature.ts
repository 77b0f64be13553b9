/** Logins for users, whose sessions are handed over to one preview host at a time (`SESSION_SCOPE=host`). */
import type { FeatureModule } from "../../gateway/feature_module.ts";
import { PreviewHandover } from "./arrivals.ts";
import { CODE_PARAMETER, Handover } from "./login_code.ts";
import { UsedCodes } from "./used_codes.ts";
import { UserLogins } from "./user_logins.ts";

/** Hands logins over from the base host to preview hosts. */
export const handover: FeatureModule = {
  name: "handover",
  create(parts) {
    const { config, scheme, cookies, sessions, logins, throttle, now } = parts;
    if (config.session.scope !== "host") return undefined;
    const { store, cache } = parts.lookups;
    const codes = new Handover({
      sealer: parts.sealerFor("login-code"),
      usedCodes: new UsedCodes(store, cache.maxEntries),
      now,
    });
    const arrivals = new PreviewHandover({
      scheme,
      cookies,
      sessions,
      handover: codes,
      now,
    });
    return {
      ownParameter: CODE_PARAMETER,
      keptLogins: new UserLogins({
        cookies,
        sessions,
        logins,
        throttle,
        handover: codes,
        now,
      }),
      beforeGate: (x) =>
        arrivals.isArrival(x) ? arrivals.arrival(x) : undefined,
      departure: (x, loginUrl) => arrivals.departure(x, loginUrl),
    };
  },
};
