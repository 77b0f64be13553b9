/** Compression of what is static and long, for clients at the end of a long way (`COMPRESS`). */
import { oneOf } from "../../config/formats.ts";
import { inGroup, setting } from "../../config/read_settings.ts";
import { sectionOf, settingsSection } from "../../config/section.ts";
import type { FeatureModule } from "../../gateway/feature_module.ts";
import type { PreviewExchange } from "../../gateway/sandbox_exchange.ts";
import { senderSite } from "../../http/fetch_metadata.ts";
import { type HeaderList, valuesOf } from "../../http/headers.ts";
import { clientKey } from "../../lib/client_key.ts";
import { TokenBuckets } from "../../lib/token_bucket.ts";
import { giveBackBuffer } from "../../stream/buffer_pool.ts";
import type { UpstreamResponse } from "../../upstream/http1/message.ts";
import { codedBody, codedBytes, ENCODER_BYTES } from "./coded_body.ts";
import { codingFor } from "./coding.ts";
import {
  appTags,
  codedHeaders,
  isStatic,
  validatedHeaders,
  withVary,
} from "./static_response.ts";

export const compressSettings = settingsSection({
  rows: inGroup("Public addresses", {
    COMPRESS: setting(
      "Whether the gateway compresses what apps send without: with static, scripts, styles, SVG, JSON and Wasm of 1 KiB or more, which no cookie decides over.",
      { format: oneOf("off", "static"), default: "off" },
    ),
  }),
  assemble: ({ COMPRESS: mode }) => ({ isOn: mode === "static" }),
});

const MIB = 1024 * 1024;

/** What is compressed for a client, bytes: a page or two, and then a fortieth of a processor. Of all, four at a time may. */
const LIMITS = { capacity: 16 * MIB, refillPerSec: 4 * MIB, maxKeys: 10_000 };
const ALL = "all";
const CLIENTS = 4;

export const compress: FeatureModule = {
  name: "compress",
  settings: compressSettings,
  create({ config, now }) {
    if (!sectionOf(config, compressSettings).isOn) return undefined;
    const limits = new TokenBuckets({ ...LIMITS, now });
    return {
      admitted(x) {
        x.appTags = appTags;
        return undefined;
      },
      relayed(upstream, x) {
        const { method, headers: asked } = x;
        if (upstream.status === 304) {
          const tags = asked.get("if-none-match");
          const headers = validatedHeaders(upstream.headers, tags);
          return { ...upstream, headers };
        }
        const isWholeRead = (method === "GET" || method === "HEAD") &&
          !asked.has("range");
        return isWholeRead && isStatic(upstream)
          ? compressed(upstream, x, limits) ??
            { ...upstream, headers: withVary(upstream.headers) }
          : upstream;
      },
    };
  },
};

/** The response in a coding; undefined if it stays as it is. */
function compressed(
  { status, headers, body }: UpstreamResponse,
  { headers: asked, clientAddress, reply }: PreviewExchange,
  limits: TokenBuckets,
): UpstreamResponse | undefined {
  const coding = codingFor(asked.get("accept-encoding"));
  // To a page of another origin, the length could tell what is in it, beside what that has the app repeat (BREACH).
  const site = senderSite(asked) ?? "";
  if (coding === undefined || site.endsWith("-site")) return undefined;
  const changed: HeaderList = [
    ...codedHeaders(headers),
    ["content-encoding", coding],
  ];
  if (body === null) return { status, headers: changed, body };
  const client = clientKey(clientAddress);
  if ([client, ALL].some((key) => limits.left(key) <= 0)) return undefined;
  function onPiece(bytes: number): void {
    limits.charge(client, bytes);
    limits.charge(ALL, bytes / CLIENTS);
  }
  if (body instanceof Uint8Array) {
    onPiece(body.length);
    const coded = codedBytes(body, coding);
    if (coded.length >= body.length) return undefined;
    giveBackBuffer(body);
    const length = ["content-length", `${coded.length}`] as const;
    return { status, headers: [...changed, length], body: coded };
  }
  // What is charged is three times as much: see memory/account.ts.
  if (!reply.mayRead(ENCODER_BYTES / 3)) return undefined;
  const [length = Infinity] = valuesOf(headers, "content-length").map(Number);
  const source = codedBody(body, { coding, length, onPiece });
  return { status, headers: changed, body: source };
}
