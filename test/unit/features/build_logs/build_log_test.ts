import assert from "node:assert/strict";
import {
  buildLogQuery,
  fetchBuildLog,
} from "../../../../src/features/build_logs/build_log.ts";
import type { BodyReader } from "../../../../src/stream/body_reader.ts";
import type { UpstreamResponse } from "../../../../src/upstream/http1/message.ts";
import { UpstreamError } from "../../../../src/upstream/upstream_error.ts";

Deno.test("buildLogQuery() puts our image in the place of any that the caller names, and keeps the rest", () => {
  for (
    const [query, expected] of [
      ["", "?snapshotRef=a%2Fb%3A1"],
      ["?", "?snapshotRef=a%2Fb%3A1"],
      ["?follow=true", "?follow=true&snapshotRef=a%2Fb%3A1"],
      ["?snapshotRef=x&follow=true", "?follow=true&snapshotRef=a%2Fb%3A1"],
      ["?snapshotRef=x;follow=true", "?follow=true&snapshotRef=a%2Fb%3A1"],
      ["?follow=true&snapshotRef", "?follow=true&snapshotRef=a%2Fb%3A1"],
      ["?snapshotref=x", "?snapshotRef=a%2Fb%3A1"],
      ["?%73napshotRef=x", "?snapshotRef=a%2Fb%3A1"],
      ["?snapshotRef+=x&&a", "?a&snapshotRef=a%2Fb%3A1"],
      ["?%zz=1", "?%zz=1&snapshotRef=a%2Fb%3A1"],
    ]
  ) assert.equal(buildLogQuery(query ?? "", "a/b:1"), expected);
});

/** Fetches a log from a runner that answers with `answer`. */
function fetchFrom(
  answer: () => UpstreamResponse,
  apiUrl: string | null = "http://runner.internal:3001/",
): Promise<UpstreamResponse> {
  return fetchBuildLog(
    {
      accept: null,
      query: "",
      forwardedFor: "203.0.113.9",
      requestId: "id",
      signal: () => new AbortController().signal,
      mayRead: () => true,
    },
    {
      runner: {
        proxyUrl: "http://runner.internal:3000",
        apiUrl,
        apiKey: "runner-secret",
      },
      snapshotRef: "a/b:1",
    },
    { request: () => new Promise((resolve) => resolve(answer())) },
  );
}

Deno.test("fetchBuildLog() passes a log on, and nothing else that a runner says", async () => {
  const log = { status: 200, headers: [], body: null };
  assert.equal(await fetchFrom(() => log), log);
  for (
    const [status, code] of [
      [404, "build_log_not_found"],
      [401, "runner_refused"],
      [403, "runner_refused"],
      [204, "runner_protocol_error"],
      [302, "runner_protocol_error"],
      [500, "runner_protocol_error"],
    ] as const
  ) {
    let isCancelled = false;
    const body: BodyReader = {
      read: () => new Promise(() => {}),
      cancel() {
        isCancelled = true;
      },
    };
    await assert.rejects(fetchFrom(() => ({ status, headers: [], body })), {
      code,
    });
    assert(isCancelled);
  }
});

Deno.test("fetchBuildLog() reports a runner that cannot be reached, or that has no address to ask at", async () => {
  await assert.rejects(
    fetchFrom(() => {
      throw new UpstreamError("connect_failed", "");
    }),
    { code: "runner_unreachable" },
  );
  await assert.rejects(fetchFrom(() => assert.fail("asked"), null), {
    code: "runner_unreachable",
  });
});
