/** Where the previews of a sandbox are at a Daytona that somebody else runs, and the token that opens them. */
import { z } from "zod";
import { isAlwaysPrivate, mayBePreviewToken } from "../../address/grammar.ts";
import type { PreviewUrl } from "../../daytona/api.ts";
import type { HeaderList } from "../../http/headers.ts";
import { parseOrigin } from "../../http/origin.ts";
import type { Destination } from "../destination.ts";
import type { HostedSandbox } from "./hosted_sandbox.ts";

export const storedPreview = z.object({
  /** `scheme://host[:port]` of a domain. */
  domain: z.string().regex(/^https?:\/\/[^/?#@\s]+$/),
  token: z.string().refine(mayBePreviewToken),
});

/** Where the ports of a sandbox are, at `{port}-{id}` below a domain. */
export type HostedPreview = Readonly<z.output<typeof storedPreview>>;

/**
 * What the API's answer about a port says of all ports; undefined if it is about another sandbox. The API finds ids and
 * names alike, so a sandbox that has the id of this one for its name may come in its place.
 */
export function readPreview(
  { sandboxId: told, url, token }: PreviewUrl,
  sandboxId: string,
  port: number,
): HostedPreview | undefined {
  const { protocol, host, pathname } = new URL(url);
  const label = `${port}-${sandboxId.toLowerCase()}.`;
  if (told !== sandboxId || !host.startsWith(label) || pathname !== "/") {
    return undefined;
  }
  return { domain: `${protocol}//${host.slice(label.length)}`, token };
}

/** The header by which the proxy knows whoever may see a sandbox. */
const TOKEN_HEADER = "x-daytona-preview-token";

/** The token that requests to a destination carry; undefined if they carry none. */
export function tokenSentTo({ headers }: Destination): string | undefined {
  return headers.find(([name]) => name === TOKEN_HEADER)?.[1];
}

/** No warning and no CORS headers of the proxy's, as the gateway has both; obeyed only if the value is exactly this. */
const ALWAYS: HeaderList = [
  ["x-daytona-skip-preview-warning", "true"],
  ["x-daytona-disable-cors", "true"],
];

/** What a {@linkcode hostedDestination} depends on besides where the sandbox is. */
interface HostedVisit extends Pick<Destination, "appOrigin" | "refusals"> {
  readonly port: number;
  /** True if the visitor was admitted without a credential: then the token must not open anything for them. */
  readonly isAnonymous: boolean;
}

/** Most destinations kept of one sandbox: a visitor may ask for all of its ports. */
const MAX_MADE = 64;

/** The destinations of a sandbox that were made so far; most requests are for one of a few. */
const made = new WeakMap<HostedPreview, Map<string, Destination>>();

export function hostedDestination(
  sandbox: Pick<HostedSandbox, "id" | "public">,
  preview: HostedPreview,
  { port, isAnonymous, appOrigin, refusals }: HostedVisit,
): Destination {
  // The proxy asks for no token then: it would pass one on to the app.
  const isOpen = sandbox.public && !isAlwaysPrivate(port) || isAnonymous;
  let all = made.get(preview);
  if (all === undefined) made.set(preview, all = new Map());
  const key = `${port} ${isOpen} ${appOrigin}`;
  let destination = all.get(key);
  if (destination === undefined) {
    destination = destinationAt(preview.domain, `${port}-${sandbox.id}`, {
      headers: isOpen ? ALWAYS : [[TOKEN_HEADER, preview.token], ...ALWAYS],
      sandboxId: sandbox.id,
      appOrigin,
      refusals,
    });
    if (all.size < MAX_MADE) all.set(key, destination);
  }
  return destination;
}

/** The destination of requests for what a signed link leads to; the link is the whole credential. */
export function linkDestination(
  domain: string,
  link: { readonly token: string; readonly port: number },
  rest: Pick<Destination, "appOrigin" | "refusals">,
): Destination {
  const label = `${link.port}-${link.token}`;
  return destinationAt(domain, label, { headers: ALWAYS, ...rest });
}

function destinationAt(
  domain: string,
  label: string,
  rest: Pick<
    Destination,
    "headers" | "sandboxId" | "appOrigin" | "refusals"
  >,
): Destination {
  const [scheme = "", host = ""] = domain.split("//");
  const publicOrigin = `${scheme}//${label}.${host}`;
  return {
    origin: parseOrigin(publicOrigin),
    authority: `${label}.${host}`,
    pathPrefix: "",
    toolboxPrefix: undefined,
    reportsUse: true,
    publicOrigin,
    livenessTarget: undefined,
    ...rest,
  };
}
