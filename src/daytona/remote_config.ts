import { z } from "zod";

/** The identity provider that the installation's users log in with. */
export interface OidcSettings {
  readonly issuer: string;
  readonly clientId: string;
  readonly audience: string;
}

/** What the API tells everybody about the installation; null where it leaves something out. */
export interface RemoteConfig {
  readonly oidc: OidcSettings | null;
  /** A preview's URL with placeholders: see {@linkcode proxyDomainOf}. */
  readonly proxyTemplateUrl: string | null;
  readonly proxyToolboxUrl: string | null;
}

/** Where previews live. */
export interface ProxyDomain {
  readonly protocol: "http" | "https";
  /** Lower case, without port. */
  readonly domain: string;
  /** The port, or null where it is the protocol's own. */
  readonly port: number | null;
}

const text = z.string().min(1).nullable().catch(null);

/** Reads a {@linkcode RemoteConfig}; a part that cannot be used is null. */
export const configAnswer: z.ZodType<RemoteConfig> = z.object({
  oidc: z.object({
    issuer: z.string().min(1),
    clientId: z.string().min(1),
    audience: z.string(),
  }).nullable().catch(null),
  proxyTemplateUrl: text,
  proxyToolboxUrl: text,
});

const TEMPLATE =
  /^(https?):\/\/\{\{PORT\}\}-\{\{sandboxId\}\}\.([a-z0-9-]+(?:\.[a-z0-9-]+)*)(?::([1-9][0-9]{0,4}))?\/?$/i;

/**
 * The domain in a template such as `https://{{PORT}}-{{sandboxId}}.proxy.example.com:4000`, or null where the template
 * has another form.
 */
export function proxyDomainOf(proxyTemplateUrl: string): ProxyDomain | null {
  const match = TEMPLATE.exec(proxyTemplateUrl);
  if (match === null) return null;
  const [, protocol = "", domain = "", port] = match;
  if (Number(port ?? 0) > 65_535) return null;
  return {
    protocol: /^https$/i.test(protocol) ? "https" : "http",
    domain: domain.toLowerCase(),
    port: port === undefined ? null : Number(port),
  };
}
