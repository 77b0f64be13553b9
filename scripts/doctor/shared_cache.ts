/** Whether something in front of the gateway stores what is private, and would give it to the next visitor. */
import { type Finding, findingsOf } from "./finding.ts";
import { hostHeader } from "./preview/subject.ts";
import { type Visit, visit } from "./preview/visit.ts";
import type { PublicBase } from "./public_base.ts";
import type { World } from "./world.ts";

const { ok, failed, skipped } = findingsOf("shared cache");

/** The asset: a comment with a UUID. */
const ASSET = /^\/\/ [\da-f-]{36}\n$/;

/** By which caches say that they had the response already, besides RFC 9211's Cache-Status. */
const HIT_HEADERS = [
  "cache-status",
  "cf-cache-status",
  "x-cache",
  "x-cache-status",
];

/** Asks twice for an asset that is marked like those of private previews, and different each time. */
export async function checkSharedCache(
  base: PublicBase,
  address: string | undefined,
  world: World,
): Promise<Finding> {
  if (address === undefined) return skipped("No gateway is reached.");
  const { protocol, domain, port } = base;
  const question = {
    host: hostHeader(domain, base),
    // A query of its own: what an earlier check has left behind says nothing of today's settings.
    target: `/health/asset.js?${crypto.randomUUID()}`,
    parts: 2,
  } as const;
  const servername = protocol === "https" ? domain : undefined;
  const server = { hostname: address, port, servername };
  const first = await visit(server, question, world);
  const second = await visit(server, question, world);
  if (!first.answered || !second.answered) {
    return skipped("No gateway is reached.");
  }
  return judgeSharedCache(first, second);
}

/** Judges the two answers. */
export function judgeSharedCache(
  first: Pick<Visit, "status" | "headers" | "text">,
  second: Pick<Visit, "status" | "headers" | "text">,
): Finding {
  if (!ASSET.test(first.text) || !ASSET.test(second.text)) {
    return skipped(
      `/health/asset.js, with status ${second.status}, is not a gateway's: it may be an older one.`,
    );
  }
  const sign = signOfCache(second) ?? signOfCache(first) ??
    (first.text === second.text ? "it gave the same one twice" : undefined);
  return sign === undefined
    ? ok("Nothing in front of the gateway stores what is private.")
    : failed(
      `Something in front of the gateway stores private responses, and gives them to others: ${sign}.`,
      "Have it heed Cache-Control: private, or store nothing; then empty it.",
    );
}

/** How a response tells that a cache had it; undefined if it does not. */
function signOfCache(
  { headers }: Pick<Visit, "headers">,
): string | undefined {
  if (Number(headers.get("age")) > 0) return `Age is ${headers.get("age")}`;
  const name = HIT_HEADERS
    .find((name) => /\bhit\b/i.test(headers.get(name) ?? ""));
  return name && `${name} is “${headers.get(name)}”`;
}
