/** The format of `OIDC_SCOPE`. */
import { z } from "zod";
import type { Format } from "./read_settings.ts";

/** Space-separated scopes for an OpenID provider (RFC 6749 section 3.3), including `openid`. */
export function oidcScope(): Format<string> {
  return {
    allowed: "space-separated scopes, including openid",
    schema: z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e ]+$/)
      .refine((text) => text.split(" ").includes("openid")),
  };
}
