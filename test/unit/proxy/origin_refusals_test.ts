import assert from "node:assert/strict";
import { watchOriginRefusal } from "../../../src/proxy/origin_refusals.ts";
import type { UpstreamResponse } from "../../../src/upstream/http1/message.ts";
import { bodyOf, readerOf, textOf } from "../../support/upstream.ts";

const HTML: UpstreamResponse["headers"] = [[
  "Content-Type",
  "text/html; charset=utf-8",
]];
const REFUSAL = "Invalid Host header";

/** What the response's reader gets, and how often it was counted. */
async function watch(
  response: UpstreamResponse,
): Promise<[text: string | null, refusals: number]> {
  let refusals = 0;
  const watched = watchOriginRefusal(response, () => refusals++);
  assert.deepEqual(
    [watched.status, watched.headers],
    [response.status, response.headers],
  );
  return [await textOf(watched.body), refusals];
}

function whole(text: string, status = 403, headers = HTML): UpstreamResponse {
  return { status, headers, body: new TextEncoder().encode(text) };
}

Deno.test("responses in which servers refuse a host or an origin are counted, and pass as they are", async () => {
  for (
    const text of [
      "Invalid Host header",
      "Invalid Host/Origin header",
      'Blocked request. This host ("3000-box.p.test") is not allowed.',
      "<h1>Blocked hosts: 3000-box.p.test</h1>",
      "Invalid HTTP_HOST header: '3000-box.p.test'.",
      `<style>${
        "x".repeat(1500)
      }</style><pre>Origin checking failed - https://3000-box.p.test does not match any trusted origins.</pre>`,
      "Cross-site POST form submissions are forbidden",
      '"https://3000-box.p.test is not an accepted origin."',
    ]
  ) {
    assert.deepEqual(await watch(whole(text)), [text, 1]);
    assert.deepEqual(await watch(whole(text, 400, [])), [text, 1]);
    const body = bodyOf(text, "more");
    assert.deepEqual(await watch({ status: 403, headers: HTML, body }), [
      `${text}more`,
      1,
    ]);
  }
});

Deno.test("a response is counted only by its status, its type and its beginning", async () => {
  const json: UpstreamResponse["headers"] = [[
    "content-type",
    "application/json",
  ]];
  const gzip: UpstreamResponse["headers"] = [
    ...HTML,
    ["content-encoding", "gzip"],
  ];
  for (
    const response of [
      whole("Forbidden"),
      whole(""),
      whole(REFUSAL, 200),
      whole(REFUSAL, 404),
      whole(REFUSAL, 500),
      whole(REFUSAL, 403, json),
      whole(REFUSAL, 403, gzip),
      whole(" ".repeat(4096) + REFUSAL),
      { status: 403, headers: HTML, body: bodyOf("Forbidden: ", REFUSAL) },
      { status: 403, headers: HTML, body: null },
    ]
  ) assert.equal((await watch(response))[1], 0);
});

Deno.test("a body on its way is neither read ahead nor held, and can be given up", () => {
  let reads = 0;
  let isCancelled = false;
  const { body } = watchOriginRefusal({
    status: 403,
    headers: HTML,
    body: {
      read() {
        reads++;
        return Promise.resolve(null);
      },
      cancel: () => void (isCancelled = true),
    },
  }, () => {});
  assert.equal(reads, 0);
  readerOf(body).cancel();
  assert(isCancelled);
});
