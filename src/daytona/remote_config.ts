import { z } from "zod";
import type { Shape } from "./models.ts";

interface ProxyDomain {
  readonly protocol: "http" | "https";
  /** Lower case, without port. */
  readonly domain: string;
  /** The port, or null for the protocol's default. */
  readonly port: number | null;
}

const name = z.string().min(1);
const text = name.nullable().catch(null);

export const configAnswer = z.object(
  {
    oidc: z.object(
      {
        issuer: name,
        clientId: name,
        audience: z.string(),
      } satisfies Shape<"OidcConfig">,
    ).nullable().catch(null),
    /** A second one, for members of organizations with single sign-on. */
    ssoOidc: z.object(
      { issuer: name, clientId: name } satisfies Shape<"SsoOidcConfig">,
    ).nullable().catch(null),
    /** A preview's URL with placeholders: see {@linkcode proxyDomainOf}. */
    proxyTemplateUrl: text,
    proxyToolboxUrl: text,
    /** Where people see their sandboxes. */
    dashboardUrl: text,
  } satisfies Shape<"DaytonaConfiguration">,
);

/** The installation's public configuration; null for each part that is missing or unusable. */
export type RemoteConfig = Readonly<z.output<typeof configAnswer>>;

const TEMPLATE =
  /^(https?):\/\/\{\{PORT\}\}-\{\{sandboxId\}\}\.([a-z0-9-]+(?:\.[a-z0-9-]+)*)(?::([1-9][0-9]{0,4}))?\/?$/i;

/** The base domain in a template such as `https://{{PORT}}-{{sandboxId}}.proxy.example.com:4000`; null for others. */
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
