/** Targets of requests within a sandbox: {@linkcode appTarget}, {@linkcode toolboxPath}, {@linkcode inspectRoute}. */
import fc from "fast-check";
import assert from "node:assert/strict";
import { posix } from "node:path";
import {
  appTarget,
  portPrefix,
  removeDotSegments,
  toolboxPrefix,
} from "../../../src/address/app_target.ts";
import { toolboxPath } from "../../../src/address/toolbox_path.ts";
import { buildLogPath } from "../../../src/features/build_logs/build_log_path.ts";
import { inspectRoute } from "../../../src/features/inspect/inspect.ts";
import { requestHead } from "../../../src/upstream/http1/request_head.ts";
import { requestOf } from "../../support/upstream.ts";
import {
  HOSTILE,
  mutated,
  port,
  sandboxId,
  soup,
  spellings,
  trickyPath,
  trickyTarget,
} from "./arbitraries.ts";
import { type Property, property } from "./property.ts";

/** Percent-decodes like a hop that accepts anything. */
function decoded(path: string): string {
  return path.replace(
    /%([0-9a-f]{2})/gi,
    (_, hex) => String.fromCharCode(parseInt(hex, 16)),
  );
}

function isInside(path: string, prefix: string): boolean {
  return path === prefix || path.startsWith(`${prefix}/`);
}

/** Asserts that no hop leaves `prefix`, whether it parses the target as a URL or normalizes the decoded path. */
function assertInside(target: string, prefix: string): void {
  assert.ok(isInside(target, prefix), target);
  const { pathname } = new URL(`http://runner${target}`);
  assert.ok(isInside(pathname, prefix), `${target} parsed: ${pathname}`);

  const [path = ""] = target.split("?", 1);
  const once = decoded(path);
  const readings = [path, once];
  // An escaped percent sign is the app's own text: a hop that decodes twice, which it must not, would read other dots.
  if (!path.includes("%25")) readings.push(decoded(once));
  for (const reading of readings) {
    for (const text of [reading, reading.replaceAll("\\", "/")]) {
      const clean = posix.normalize(text);
      assert.ok(isInside(clean, prefix), `${target} read as ${clean}`);
    }
  }
}

/** Targets with dot segments, plain and encoded, next to characters that may be taken for a separator. */
const target = fc.oneof(
  trickyTarget,
  mutated(trickyTarget, ["/..", "/%2e%2e/", "..%2f", "\\..\\", "#/..", "?"]),
  spellings("../../box/destroy"),
).map((text) => text.startsWith("/") ? text : `/${text}`);

const PLAIN = ["/", "/", ".", "..", "%2e", ".%2E", "a", "b%2fc", "~", "%41"];

/** Properties of the paths that lead into a sandbox. */
export const pathProperties: readonly Property[] = [
  property(
    "appTarget() stays inside of the sandbox's port, however the path is read",
    fc.tuple(sandboxId, port, target),
    ([sandboxId, port, target]) => {
      const result = appTarget(
        portPrefix(toolboxPrefix(sandboxId), port),
        target,
      );
      if (result === undefined) return;
      assertInside(result, `/sandboxes/${sandboxId}/toolbox/proxy/${port}`);
    },
  ),

  property(
    "appTarget() of a toolbox stays inside of the sandbox's toolbox, however the path is read",
    fc.tuple(sandboxId, target),
    ([sandboxId, target]) => {
      const result = appTarget(toolboxPrefix(sandboxId), target);
      if (result === undefined) return;
      assertInside(result, `/sandboxes/${sandboxId}/toolbox`);
    },
  ),

  property(
    "appTarget() passes a target without dots byte for byte, and every query",
    target,
    (target) => {
      const result = appTarget(portPrefix(toolboxPrefix("box"), 3000), target);
      const [path = ""] = target.split("?", 1);
      const query = target.slice(path.length);
      if (result !== undefined) assert.ok(result.endsWith(query));
      if (/\.|%2e/i.test(path)) return;
      assert.equal(result, `/sandboxes/box/toolbox/proxy/3000${target}`);
    },
  ),

  property(
    "removeDotSegments() resolves once and for all",
    trickyPath,
    (path) => {
      const resolved = removeDotSegments(path);
      if (resolved === undefined) return;
      assert.equal(removeDotSegments(resolved), resolved);
    },
  ),

  property(
    "removeDotSegments() agrees with the WHATWG URL parser on every path that both can read",
    soup(PLAIN, 12).map((text) => `/${text}`),
    (path) => {
      const resolved = removeDotSegments(path);
      // Dots next to an encoded separator are refused.
      if (resolved === undefined) return assert.match(path, /%2f/i);
      assert.equal(resolved, new URL(`http://host${path}`).pathname);
    },
  ),

  property(
    "toolboxPath() and buildLogPath() divide a target of the base host without losing a byte, and toolboxPath() leads into one sandbox",
    mutated(
      fc.tuple(
        fc.constantFrom("/toolbox/", "/snapshots/", "/sandboxes/", "/"),
        sandboxId,
        fc.constantFrom("", "/build-logs"),
        fc.oneof(target, fc.constantFrom("", "?a=b")),
      ).map((parts) => parts.join("")),
      [...HOSTILE, "/toolbox", "/../", "%2e%2e"],
    ),
    (target) => {
      const build = buildLogPath(target);
      if (build !== undefined) {
        const resource = build.of === "snapshot" ? "snapshots" : "sandboxes";
        return assert.equal(
          `/${resource}/${build.id}/build-logs${build.query}`,
          target,
        );
      }
      const route = toolboxPath(target);
      if (route === undefined) {
        return assert.ok(!/^\/toolbox(?![^/?])/.test(target));
      }
      if (route === "malformed") return;
      const prefix = `/toolbox/${route.sandboxId}`;
      assert.ok(
        [prefix + route.target, prefix + route.target.slice(1)].includes(
          target,
        ),
      );
      const sent = appTarget(toolboxPrefix(route.sandboxId), route.target);
      if (sent === undefined || !isSendable(sent)) return;
      assertInside(sent, `/sandboxes/${route.sandboxId}/toolbox`);
    },
  ),

  property(
    "inspectRoute() divides a target of the base host without losing a byte of its path",
    mutated(
      fc.tuple(
        fc.constant("/inspect/"),
        sandboxId,
        fc.constantFrom("", "/events"),
        fc.oneof(target, fc.constantFrom("", "?a=b")),
      ).map((parts) => parts.join("")),
      [...HOSTILE, "/inspect", "/events", "/../", "%2e%2e"],
    ),
    (target) => {
      const route = inspectRoute(target);
      if (route === undefined) return;
      const [given] = target.split("?");
      const path = `/inspect/${route.sandboxId}`;
      assert.equal(given, route.resource === "page" ? path : `${path}/events`);
    },
  ),
];

/** True if the client would send the target: tabs and line breaks, which URL parsers drop, never leave us. */
function isSendable(target: string): boolean {
  try {
    return requestHead(requestOf({ target }), { upgrade: false }) !== "";
  } catch {
    return false;
  }
}
