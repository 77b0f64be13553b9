/** The format of a base domain in `PROXY_DOMAIN`. */
import { z } from "zod";
import { HOST_NAME } from "./formats.ts";
import type { Format } from "./read_settings.ts";

/** A base domain and the port that clients reach it at; undefined if that is the scheme's default. */
export interface DomainAndPort {
  readonly name: string;
  readonly port: number | undefined;
}

const DOMAIN_AND_PORT = new RegExp(`^(${HOST_NAME})(?::([1-9]\\d{0,4}))?$`);

/** The longest domain name (RFC 1035 section 2.3.4), less one more label and its dot. */
const MAX_DOMAIN_LENGTH = 253 - 64;

/** A domain below which previews have their hosts, lower-cased: it leaves room for one more label in front. */
export function previewDomain(): Format<DomainAndPort> {
  return {
    allowed:
      "a domain such as preview.example.com or proxy.localhost:4000, without a leading dot",
    schema: z.string().toLowerCase().regex(DOMAIN_AND_PORT)
      .transform((text) => DOMAIN_AND_PORT.exec(text) ?? [])
      .transform(([, name = "", port]) => ({
        name,
        port: port === undefined ? undefined : Number(port),
      }))
      .refine(({ name, port = 1 }) =>
        name.length <= MAX_DOMAIN_LENGTH && port <= 65535 &&
        // A URL parser rejects some names that begin with "xn--".
        URL.canParse(`http://${name}`)
      ),
  };
}
