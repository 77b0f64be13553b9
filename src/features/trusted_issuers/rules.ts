/** The rules of `TRUSTED_ISSUERS_FILE`: whose JWTs open which previews. */
import { z } from "zod";
import { isSandboxRef } from "../../address/grammar.ts";
import type { CoreValues } from "../../config/section.ts";
import type { SettingsFile } from "../../config/settings_file.ts";
import { ancestorsField, portField } from "../../control/api/fields.ts";
import { isExposedHttp, withoutTrailingSlashes } from "../../http/url.ts";
import { digestKey } from "../../lib/digest.ts";

const MAX_LIFE_SEC = 3600;

const text = z.string().min(1).max(512);
const method = z.string().regex(/^[A-Z]{1,20}$/);

/** Of a kind that the accepted algorithms use. */
const publicKey = z.looseObject({}).refine(
  ({ kty, crv, d }) =>
    d === undefined &&
    (kty === "RSA" || kty === "EC" && crv === "P-256" ||
      kty === "OKP" && crv === "Ed25519"),
  { error: "must be a public key for RS256, ES256 or EdDSA" },
);

const common = {
  issuer: text,
  audience: text,
  jwks: z.union([
    z.string().regex(/^https?:\/\//i).refine(URL.canParse),
    z.object({ keys: z.array(publicKey).min(1) }),
  ], { error: "must be a URL, or {keys}" }),
  sandboxes: z.union([
    z.literal("*"),
    z.array(z.string().refine(isSandboxRef)).min(1),
    z.record(text, z.string()).refine((it) => Object.keys(it).length > 0),
  ], { error: 'must be "*", a list of ids, or labels as in {"team": "qa"}' }),
  ports: z.union([z.literal("*"), z.array(portField).min(1)], {
    error: 'must be "*", or a list of ports',
  }),
  methods: z.array(method).min(1).optional(),
};

const rule = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("mapped"),
    ...common,
    /** With one `*` between two delimiters, a match takes linear time. */
    subject: text.refine((pattern) => !/\*[^/:]*\*/.test(pattern), {
      error: "must have one * at most between two of / and :",
    }),
  }),
  z.strictObject({
    kind: z.literal("minting"),
    ...common,
    maxLifeSec: z.int().min(1).max(MAX_LIFE_SEC).default(MAX_LIFE_SEC),
  }),
]);

/** A rule, with a name that it has as long as it trusts the same, whatever it allows. */
export type Rule = Readonly<z.output<typeof rule>> & { readonly name: string };

/** What a ticket says of itself, in its claim `porthole`: a member that is not known might restrict it. */
export const ticketClaim = z.strictObject({
  sandbox: z.string(),
  ports: z.array(portField).min(1).max(100),
  methods: z.array(method).min(1).optional(),
  /** Whose pages may show the preview in a frame; without, it is for none. */
  ancestors: ancestorsField.optional(),
  frame: z.enum(["replace", "keep"]).default("replace"),
  cookies: z.enum(["partition", "keep"]).default("partition"),
  isolate: z.enum(["require-corp", "credentialless"]).nullable().default(null),
});

/** The settings that the rules must go together with: JWTs of the issuer of logins, for example, are for Daytona. */
export type RuleContext = Pick<
  CoreValues,
  "OIDC_ALLOW_INSECURE" | "OIDC_DOMAIN"
>;

export function rulesFile(
  path: string,
  { OIDC_ALLOW_INSECURE, OIDC_DOMAIN }: RuleContext,
): SettingsFile<readonly Rule[]> {
  const allowed = rule.refine(
    ({ jwks }) =>
      typeof jwks !== "string" || OIDC_ALLOW_INSECURE || !isExposedHttp(jwks),
    { path: ["jwks"], error: "must be https, or OIDC_ALLOW_INSECURE true" },
  ).refine(
    ({ issuer }) => withoutTrailingSlashes(issuer) !== OIDC_DOMAIN,
    { path: ["issuer"], error: "must not be that of logins, OIDC_DOMAIN" },
  ).transform((row) => {
    const { kind, issuer, audience, jwks } = row;
    const subject = kind === "mapped" ? row.subject : "";
    const parts = [kind, issuer, audience, JSON.stringify(jwks), subject];
    return { ...row, name: digestKey(parts).slice(0, 8) };
  });
  return { path, parse: JSON.parse, schema: z.array(allowed) };
}
