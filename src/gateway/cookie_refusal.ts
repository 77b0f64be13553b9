/** The refusal of a request whose cookies make its head too large: it has the browser delete them. */
import type { PlantedCookies } from "../auth/planted_cookies.ts";
import { hasTooManyCookies } from "../downstream/http/head_limits.ts";
import { GatewayError } from "../errors.ts";
import type { ExchangeServices } from "./exchange_services.ts";
import type { PreviewExchange } from "./preview_route.ts";

export interface PlantedCookiesParts
  extends Pick<ExchangeServices, "limits" | "scheme"> {
  readonly plantedCookies: Pick<PlantedCookies, "headersFor">;
}

/** The failure itself, or, if cookies are its cause, a copy with what relieves the browser of them. */
export async function withoutPlantedCookies(
  error: unknown,
  { received: { headers, target }, route: { host } }: PreviewExchange,
  { limits, scheme, plantedCookies }: PlantedCookiesParts,
): Promise<unknown> {
  const isCause = error instanceof GatewayError &&
    error.code === "head_too_large" &&
    hasTooManyCookies({ target, headers }, limits);
  if (!isCause) return error;
  const cookie = headers.get("cookie") ?? "";
  return error.with({
    logoutUrl: `${scheme}://${host.authoritySuffix}/logout`,
    headers: await plantedCookies.headersFor({ cookie, target, host }),
  });
}
