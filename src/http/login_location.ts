/** Where a browser is sent to log in. */
import { MAX_RETURN_URL_LENGTH } from "../address/return_url.ts";
import { TOOLBOX_PORT } from "../address/sandbox_ref.ts";
import { isNavigation } from "../lib/fetch_metadata.ts";
import type { PreviewExchange } from "./exchange.ts";

/** What a browser loads as a document (Fetch standard, request destination). */
const DOCUMENTS: ReadonlySet<string> = new Set(["document", "frame", "iframe"]);

/**
 * The login's URL for an exchange that a person is waiting for, to come back to `target`; undefined for everything else:
 * a script, an image, a form or a WebSocket would only meet the provider's page where it expects an answer.
 */
export function loginLocation(
  { method, headers, host }: PreviewExchange,
  preview: { scheme: "http" | "https"; target: string },
): string | undefined {
  // The daemon is for programs: nobody looks at what it answers.
  if (!isNavigation(method, headers) || host.port === TOOLBOX_PORT) {
    return undefined;
  }
  const destination = headers.get("sec-fetch-dest");
  if (destination !== null && !DOCUMENTS.has(destination)) return undefined;
  const { scheme, target } = preview;
  const origin =
    `${scheme}://${host.port}-${host.label}.${host.authoritySuffix}`;
  const url = origin + target;
  const returnTo = url.length > MAX_RETURN_URL_LENGTH ? `${origin}/` : url;
  return `${scheme}://${host.authoritySuffix}/login?return_to=${
    encodeURIComponent(returnTo)
  }`;
}
