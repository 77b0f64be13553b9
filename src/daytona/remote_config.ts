import { z } from "zod";
import type { Shape } from "./models.ts";

/** An identity provider, as the API names it. */
interface RemoteProvider {
  readonly issuer: string;
  readonly clientId: string;
}

/** The installation's public configuration; null for each part that is missing or unusable. */
export interface RemoteConfig {
  readonly oidc: RemoteProvider & { readonly audience: string } | null;
  /** A second one, for members of organizations with single sign-on. */
  readonly ssoOidc: RemoteProvider | null;
  /** A preview's URL with placeholders: see {@linkcode proxyDomainOf}. */
  readonly proxyTemplateUrl: string | null;
  readonly proxyToolboxUrl: string | null;
  /** Where people see their sandboxes. */
  readonly dashboardUrl: string | null;
}

/** The base domain of previews. */
interface ProxyDomain {
  readonly protocol: "http" | "https";
  /** Lower case, without port. */
  readonly domain: string;
  /** The port, or null for the protocol's default. */
  readonly port: number | null;
}

const name = z.string().min(1);
const text = name.nullable().catch(null);

/** Reads a {@linkcode RemoteConfig}. */
export const configAnswer: z.ZodType<RemoteConfig> = z.object(
  {
    oidc: z.object(
      {
        issuer: name,
        clientId: name,
        audience: z.string(),
      } satisfies Shape<"OidcConfig">,
    ).nullable().catch(null),
    ssoOidc: z.object(
      { issuer: name, clientId: name } satisfies Shape<"SsoOidcConfig">,
    ).nullable().catch(null),
    proxyTemplateUrl: text,
    proxyToolboxUrl: text,
    dashboardUrl: text,
  } satisfies Shape<"DaytonaConfiguration">,
);

const TEMPLATE =
  /^(https?):\/\/\{\{PORT\}\}-\{\{sandboxId\}\}\.([a-z0-9-]+(?:\.[a-z0-9-]+)*)(?::([1-9][0-9]{0,4}))?\/?$/i;

/**
 * The base domain in a template such as `https://{{PORT}}-{{sandboxId}}.proxy.example.com:4000`; null if the template
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
