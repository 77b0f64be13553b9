import assert from "node:assert/strict";
import {
  JSON_TYPE,
  memberOf,
  NOTES_PATH,
  setUpApi,
  wish,
} from "../../../support/api.ts";

/** What is answered to a body. */
async function post(body: string, type = "application/json") {
  const control = setUpApi();
  const answer = await control.send(NOTES_PATH, {
    method: "POST",
    headers: { ...memberOf("box"), "content-type": type },
    body,
  });
  return { ...answer, ...control };
}

Deno.test("a body that is not JSON by its type is 415", async () => {
  for (
    const type of [
      "text/plain",
      "application/x-www-form-urlencoded",
      "application/jsonp",
      "text/plain; application/json",
      "application/problem+json",
    ]
  ) {
    const { status, code } = await post(wish(), type);
    assert.deepEqual([status, code], [415, "unsupported_media_type"], type);
  }
  for (const type of ["Application/JSON", "application/json; charset=utf-8"]) {
    assert.equal((await post(wish(), type)).status, 201, type);
  }
});

Deno.test("a body of 16 KiB is read, and a longer one is 413", async () => {
  const fits = wish().padEnd(16 * 1024);
  assert.equal((await post(fits)).status, 201);
  assert.equal((await post(`${fits} `)).status, 413);
});

Deno.test("a request that is not valid is told all that is wrong, by JSON Pointers and without its values", async () => {
  for (
    const [body, ...paths] of [
      ["{", ""],
      ["\xff", ""],
      ["[]", ""],
      ["null", ""],
      ["{}", "/sandbox", "/expiresInSec", "/ports"],
      [wish({ ports: [] }), "/ports"],
      [wish({ ports: [3000, 3000] }), "/ports"],
      [wish({ ports: [3000, 2280] }), "/ports/1"],
      [wish({ ports: [22222, 33333] }), "/ports/0", "/ports/1"],
      [wish({ ports: [0, 65_536, 1.5, "80"] }), ...[0, 1, 2, 3].map(at)],
      [wish({ sandbox: "../other" }), "/sandbox"],
      [wish({ expiresInSec: 0 }), "/expiresInSec"],
      [wish({ expiresInSec: 30 * 86_400 + 1 }), "/expiresInSec"],
      [wish({ note: "n".repeat(201) }), "/note"],
      [wish({ "a/b~c": 1, secret: "s3cr3t" }), "/a~1b~0c", "/secret"],
      [wish({ ["__proto__x"]: 1 }), "/__proto__x"],
    ] as const
  ) {
    const { status, code, response, gated } = await post(body);
    assert.deepEqual([status, code], [400, "invalid_request"], body);
    const text = await response.text();
    const { errors } = JSON.parse(text);
    const found = errors.map(({ path }: { path: string }) => path);
    assert.deepEqual(found, paths, body);
    for (const { message } of errors) assert(message.length > 0);
    assert.doesNotMatch(text, /s3cr3t/);
    assert.deepEqual(gated, []);
  }
});

function at(index: number): string {
  return `/ports/${index}`;
}

Deno.test("no more than twenty problems are told, and the log names no member that a client has made up", async () => {
  const unknown = Array.from({ length: 30 }, (_, i) => [`made-up-${i}`, 1]);
  const { response, recorded } = await post(
    wish(Object.fromEntries(unknown)),
  );
  assert.equal((await response.json()).errors.length, 20);
  const { reason } = await recorded.next("request refused");
  assert.equal(reason, ": unrecognized_keys");
});

Deno.test("parameters are told of like members", async () => {
  const { send } = setUpApi();
  const headers = { ...memberOf("box"), ...JSON_TYPE };
  for (const query of ["", "?sandbox=.."]) {
    const { response, code } = await send(NOTES_PATH + query, { headers });
    assert.equal(code, "invalid_request");
    const { errors } = await response.json();
    assert.deepEqual(errors.map(({ path }: { path: string }) => path), [
      "/sandbox",
    ]);
  }
});
