/** Long targets, hosts and references. */
import { removeDotSegments } from "../../../src/address/app_target.ts";
import { toolboxPath } from "../../../src/address/toolbox_path.ts";
import { buildLogPath } from "../../../src/features/build_logs/build_log_path.ts";
import {
  likelyHost,
  likelyName,
  parseHost,
  portOfSandboxOrigin,
} from "../../../src/address/preview_host.ts";
import { splitRequestUrl } from "../../../src/http/request_url.ts";
import {
  checkReturnUrl,
  sameHostTarget,
} from "../../../src/address/return_url.ts";
import { splitPreviewToken } from "../../../src/auth/preview_token.ts";
import { buildLogQuery } from "../../../src/features/build_logs/build_log.ts";
import { toolboxReference } from "../../../src/proxy/toolbox_response.ts";
import { hostParser } from "../../support/names.ts";
import { BLANKS, type Growth, repeated } from "./growth.ts";

const BASE = "preview.example.com";
const PARSE_HOST = hostParser([BASE], {
  "shop.test": { sandboxId: "x", port: 1 },
});
const HOST = { port: 1, label: "x", base: BASE, authoritySuffix: BASE };

/** Parsers of addresses. */
export const addressGrowths: readonly Growth[] = [
  ...repeated(
    "splitRequestUrl()",
    ["a", "a.", ".", "-", ":", "["],
    (text) => splitRequestUrl(text, text.slice(7)),
    ["http://", "/"],
  ),
  ...repeated(
    "parseHost()",
    ["a", "a.", ".", "1-", `.${BASE}`],
    (text) => parseHost(text, [BASE]),
    ["1-", `.${BASE}`],
  ),
  ...repeated(
    "likelyHost()",
    ["a", "a.", "-.", "a-", "0", ".0", "-.0", "._-"],
    (text) => likelyHost(text, BASE),
    ["a.", `-.${BASE}`],
  ),
  ...repeated(
    "likelyName()",
    ["a", "-", "abcdefgh12345678-"],
    (text) => likelyName(text, BASE),
    ["a", `.${BASE}`],
  ),
  ...repeated(
    "HostParser",
    ["a", "a.", ".", ":"],
    (text) => PARSE_HOST(text),
    ["shop", ".test"],
  ),
  ...repeated(
    "portOfSandboxOrigin()",
    ["a", "1-", "https://"],
    (text) => portOfSandboxOrigin(text, HOST, "https"),
    ["https://1-", `.${BASE}`],
  ),
  ...repeated(
    "removeDotSegments()",
    ["/", "/.", "/..", "/a/..", "/%2e", "%2f", "..", "/a", "\\"],
    (text) => removeDotSegments(text),
    ["/", "/../%2f.."],
  ),
  ...repeated(
    "toolboxPath() and buildLogPath()",
    ["a", "/toolbox", "/build-logs", "?"],
    (text) => [toolboxPath(text), buildLogPath(text)],
    ["/toolbox/", "!"],
  ),
  ...repeated(
    "checkReturnUrl()",
    ["a", "a.", "/", ":1"],
    (text) =>
      checkReturnUrl(text, {
        scheme: "https",
        parseHost: PARSE_HOST,
        authority: BASE,
      }),
    ["https://", " "],
  ),
  ...repeated(
    "sameHostTarget()",
    ["/", "a", "https://"],
    (text) => sameHostTarget(text, `https://${BASE}`),
    ["/", " "],
  ),
  ...repeated(
    "toolboxReference()",
    ["/", ":", "http://", "/toolbox/box", "/sandboxes/box/toolbox"],
    (text) => toolboxReference(text, { sandboxId: "box", authority: BASE }),
    ["http://h", "/"],
  ),
  ...repeated(
    "splitPreviewToken()",
    ["&", "=", "?", "%", "%41", "DAYTONA_SANDBOX_AUTH_KEY=&", "a&"],
    (text) => splitPreviewToken(text),
    ["/?", ""],
  ),
  ...repeated(
    "buildLogQuery()",
    ["&", ";", "%", "%41", "snapshotRef&", "a", ...BLANKS],
    (text) => buildLogQuery(text, text),
    ["?", "a"],
  ),
];
