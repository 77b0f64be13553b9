import assert from "node:assert/strict";
import {
  ownAnswer,
  refusalOfTooMany,
} from "../../../../src/downstream/http/own_answer.ts";

function request(method = "GET", isHttp2 = true) {
  return {
    request: { method },
    isHttp2,
    client: { clientAddress: "192.0.2.1" },
    socket: undefined,
    delivered: () => Promise.resolve(),
  };
}

const FULL = { admit: () => false, watch() {} };
const FREE = { admit: () => true, watch() {} };

function problem(status: number): Response {
  return Response.json({ code: "x" }, {
    status,
    headers: { "x-porthole-error": "x", "retry-after": "2" },
  });
}

Deno.test("an answer of our own over HTTP/2 is counted by its client's network", async () => {
  const admitted: string[] = [];
  const untaken = {
    admit({ client }: { readonly client: string }) {
      admitted.push(client);
      return true;
    },
    watch() {},
  };
  const client = { clientAddress: "2001:db8:1:2:3:4:5:6" };
  const answer = ownAnswer(problem(401), { ...request(), client }, untaken);
  assert.equal(answer.status, 401);
  assert.deepEqual(await answer.json(), { code: "x" });
  assert.deepEqual(admitted, ["2001:db8:1:2::/64"]);
});

Deno.test("an answer of our own loses its body, and keeps what it says in its head, where too many are untaken", () => {
  const answer = ownAnswer(problem(401), request(), FULL);
  assert.equal(answer.status, 401);
  assert.equal(answer.body, null);
  assert.deepEqual([...answer.headers], [
    ["retry-after", "2"],
    ["x-porthole-error", "x"],
  ]);
});

Deno.test("a page of our own is 503 without its body, and can be asked for again", () => {
  const page = new Response("page", {
    headers: { "content-type": "text/html", etag: '"a"' },
  });
  const answer = ownAnswer(page, request(), FULL);
  assert.equal(answer.status, 503);
  assert.equal(answer.headers.get("x-porthole-error"), "pages_overloaded");
  assert.equal(answer.headers.get("retry-after"), "1");
  assert.equal(answer.headers.get("cache-control"), "no-store");
  assert.equal(answer.headers.get("content-type"), null);
});

Deno.test("what was done is told with its body, too many untaken or not, and watched", async () => {
  const watched: string[] = [];
  const untaken = {
    admit: () => false,
    watch: ({ client }: { readonly client: string }) => watched.push(client),
  };
  for (const method of ["POST", "PUT", "DELETE"]) {
    const made = Response.json({ secret: "s" }, { status: 201 });
    const answer = ownAnswer(made, request(method), untaken);
    assert.equal(answer.status, 201);
    assert.deepEqual(await answer.json(), { secret: "s" });
  }
  assert.equal(ownAnswer(problem(422), request("POST"), untaken).body, null);
  assert.equal(watched.length, 3);
});

Deno.test("a probe is answered by its status where too many are untaken", () => {
  for (const status of [200, 503]) {
    const asked = { ...request(), isHeadEnough: true };
    const answer = ownAnswer(Response.json({}, { status }), asked, FULL);
    assert.deepEqual([answer.status, answer.body], [status, null]);
  }
});

for (
  const [name, response, asked] of [
    ["over HTTP/1.1", problem(404), request("GET", false)],
    ["without a body", new Response(null, { status: 302 }), request()],
    ["to a HEAD", problem(404), request("HEAD")],
  ] as const
) {
  Deno.test(`an answer of our own ${name} is sent as it is`, () => {
    assert.equal(ownAnswer(response, asked, FULL), response);
    assert.equal(ownAnswer(response, asked, FREE), response);
  });
}

Deno.test("who has left too many untaken over HTTP/2 is refused before anything is made for it", () => {
  const isFull = { isFull: (client: string) => client === "192.0.2.1" };
  assert.equal(refusalOfTooMany(request(), isFull)?.status, 503);
  assert.equal(refusalOfTooMany(request("GET", false), isFull), undefined);
  const client = { clientAddress: "192.0.2.2" };
  assert.equal(refusalOfTooMany({ ...request(), client }, isFull), undefined);
});

Deno.test("over HTTP/1.1, nobody looks at an answer's body, which would be sent in parts then", () => {
  const answer = problem(404);
  Object.defineProperty(answer, "body", {
    get: () => assert.fail("looked at"),
  });
  assert.equal(ownAnswer(answer, request("GET", false), FREE), answer);
});
