/** Long API answers, cache entries and settings. */
import { parseEnvelope } from "../../../src/cache/redis/format.ts";
import {
  addressRange,
  baseUrl,
  listenAddress,
  listOf,
  previewDomain,
} from "../../../src/config/formats.ts";
import { readSettings } from "../../../src/config/read_settings.ts";
import { runnerAnswer } from "../../../src/daytona/models.ts";
import { proxyDomainOf } from "../../../src/daytona/remote_config.ts";
import { escapeHtml } from "../../../src/pages/html.ts";
import { refusalOf } from "../../../src/resolver/refusals/runner_messages.ts";
import { runnerBase } from "../../../src/resolver/own/runner.ts";
import { BLANKS, type Growth, repeated } from "./growth.ts";

function runner(url: string): unknown {
  return { id: "r", apiKey: "k", apiUrl: url, proxyUrl: url };
}

const SETTING_FORMATS = {
  baseUrl,
  previewDomain,
  listenAddress,
  addressRanges: listOf(addressRange),
};

/** Parsers of texts by other programs and the operator. */
export const textGrowths: readonly Growth[] = [
  ...repeated(
    "refusalOf()",
    ["[", '{"a":', "\\", '"'],
    (text) => refusalOf(404, text, "box"),
  ),
  ...repeated("escapeHtml()", ["<", "&amp;", "a"], (text) => escapeHtml(text)),
  ...repeated(
    "runnerAnswer",
    ["/", "a", "/..", "."],
    (text) => runnerAnswer.safeParse(runner(text)),
    ["http://h/", "a"],
  ),
  ...repeated(
    "runnerBase()",
    ["/", "a", "/.."],
    (text) => runnerBase(text),
    ["http://h/", "a"],
  ),
  ...repeated(
    "proxyDomainOf()",
    ["a", "a.", "-", "."],
    (text) => proxyDomainOf(text),
    ["https://{{PORT}}-{{sandboxId}}.", "!"],
  ),
  ...repeated(
    "parseEnvelope()",
    ["[", '{"value":', "1"],
    (text) => parseEnvelope(text),
  ),
  ...Object.entries(SETTING_FORMATS).flatMap(([name, { schema }]) =>
    repeated(
      `format ${name}`,
      ["/", "a", "a.", "1", "1.", ":", ",", "-", ...BLANKS],
      (text) => schema.safeParse(text),
      ["http://h/", "!"],
    ).concat(
      repeated(
        `format ${name}, bare,`,
        ["a", "a.", "1", "1.", ":", "1-"],
        (text) => schema.safeParse(text),
        ["", "!"],
      ),
    )
  ),
  ...repeated(
    "readSettings()",
    ["@", "//", "a", "//@", "://"],
    (text) =>
      readSettings({
        NAME: { group: "g", purpose: "p", format: SETTING_FORMATS.baseUrl },
      }, { NAME: text }),
    ["http://", " !"],
  ),
];
