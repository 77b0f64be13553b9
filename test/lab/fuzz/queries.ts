/** Parameters removed from and added to a query: {@linkcode splitPreviewToken}, {@linkcode buildLogQuery}. */
import fc from "fast-check";
import assert from "node:assert/strict";
import { splitPreviewToken } from "../../../src/auth/preview_token.ts";
import { buildLogQuery } from "../../../src/features/build_logs/build_log.ts";
import {
  anyText,
  cases,
  mutated,
  soup,
  spellings,
  TRICKY,
  trickyPath,
} from "./arbitraries.ts";
import { type Property, property } from "./property.ts";

const KEY = "DAYTONA_SANDBOX_AUTH_KEY";
const IMAGE = "snapshotRef";

/** Queries that may contain a parameter, in all of its spellings and in near misses. */
function queryWith(parameter: string): fc.Arbitrary<string> {
  const name = fc.oneof(
    spellings(parameter),
    cases(parameter),
    mutated(fc.constant(parameter), [...TRICKY, "%", "%E9", "+", "%20"]),
    fc.constantFrom("a", "", "%zz"),
  );
  const value = soup(["a", "+", "%20", "%", "%ff", "=", "?", "/", "\xe9", "#"]);
  const pair = fc.tuple(name, fc.constantFrom("=", "=", "", "=="), value)
    .map((parts) => parts.join(""));
  return fc.array(
    fc.tuple(pair, fc.constantFrom("&", "&", "&&", ";", "?")),
    { maxLength: 5 },
  ).map((pairs) => `?${pairs.flat().slice(0, -1).join("")}`);
}

/** A query's parameters; the `&` keeps the constructor from dropping a second question mark. */
function parametersIn(query: string): URLSearchParams {
  return new URLSearchParams(`&${query.slice(1)}`);
}

function namesIn(query: string): string[] {
  return [...parametersIn(query).keys()];
}

/** Properties of the queries that the gateway changes. */
export const queryProperties: readonly Property[] = [
  property(
    "splitPreviewToken() leaves no token for a later parser, and all other bytes as they were",
    fc.tuple(
      trickyPath.map((path) => path.replaceAll("?", "")),
      queryWith(KEY),
    ),
    ([path, query]) => {
      const { target, token } = splitPreviewToken(path + query);
      assert.ok(target.startsWith(path));
      const rest = target.slice(path.length);
      assert.ok(!namesIn(rest).includes(KEY), rest);

      const pairs = query.slice(1).split("&");
      const others = pairs.filter((pair) => !namesIn(`?${pair}`).includes(KEY));
      const expected = others.length === 0 ? "" : `?${others.join("&")}`;
      assert.equal(rest, others.length === pairs.length ? query : expected);
      assert.equal(token !== undefined, others.length < pairs.length);
      assert.deepEqual(splitPreviewToken(target), { target, token: undefined });
    },
  ),

  property(
    "splitPreviewToken() reads the first token as a query parser does if its bytes are UTF-8",
    queryWith(KEY),
    (query) => {
      const { token } = splitPreviewToken(`/${query}`);
      const first = parametersIn(query).get(KEY) ?? undefined;
      // For other bytes a query parser substitutes U+FFFD, and we keep what was sent.
      if (first?.includes("\ufffd") || token?.includes("%")) return;
      assert.equal(token, first);
    },
  ),

  property(
    "buildLogQuery() names exactly one image, the gateway's, for every parser",
    fc.tuple(fc.oneof(queryWith(IMAGE), fc.constant("")), anyText),
    ([query, snapshotRef]) => {
      const result = buildLogQuery(query, snapshotRef);
      const isImage = (name: string) =>
        name.trim().toLowerCase() === IMAGE.toLowerCase();
      for (const reading of [result, result.replaceAll(";", "&")]) {
        assert.deepEqual(namesIn(reading).filter(isImage), [IMAGE]);
        assert.equal(
          parametersIn(reading).get(IMAGE),
          snapshotRef.toWellFormed(),
        );
      }
      assert.equal(buildLogQuery(result, snapshotRef), result);
    },
  ),
];
