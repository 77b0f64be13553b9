import assert from "node:assert/strict";
import {
  JSON_TYPE,
  memberOf,
  NOTES_PATH,
  setUpApi,
  wish,
} from "../../../support/api.ts";
import { anyForm } from "../../../support/record_forms.ts";

const NOTES = anyForm("notes");

const MEMBER = memberOf("box");

Deno.test("a record that is made is told with what is told only once, and where it is", async () => {
  const { send } = setUpApi();
  const { response, status } = await send(NOTES_PATH, {
    method: "POST",
    headers: { ...MEMBER, ...JSON_TYPE },
    body: wish({ note: "for CI" }),
  });
  assert.equal(status, 201);
  assert.equal(response.headers.get("cache-control"), "no-store");
  const { id, secret, ...rest } = await response.json();
  assert.match(id, /^[A-Za-z0-9_-]{22}$/);
  assert.equal(secret, "s3");
  assert.deepEqual(rest, {
    sandboxId: "box",
    createdAt: "1970-01-01T00:16:40.000Z",
    createdBy: "subject-of-box",
    expiresAt: "1970-01-01T00:17:40.000Z",
    note: "for CI",
    ports: [3000],
  });
  const path = response.headers.get("location") ?? "";
  assert.equal(path, `${NOTES_PATH}/${id}`);
  const read = await send(path, { headers: MEMBER });
  assert.deepEqual(await read.response.json(), { id, ...rest });
  const etag = read.response.headers.get("etag");
  assert.match(etag ?? "", /^".+"$/);
  assert.equal(etag, response.headers.get("etag"));
  const head = await send(path, { method: "HEAD", headers: MEMBER });
  assert.deepEqual([head.status, await head.response.text()], [200, ""]);
});

Deno.test("those of a sandbox are listed newest first, by pages", async () => {
  const { send, made, records } = setUpApi();
  records.page = 2;
  const paths = [await made(), await made(), await made()];
  const listed: string[] = [];
  let path: string | undefined = `${NOTES_PATH}?sandbox=box`;
  while (path !== undefined) {
    const { response } = await send(path, { headers: MEMBER });
    const { items, next } = await response.json();
    for (const { id, secret } of items) {
      listed.push(`${NOTES_PATH}/${id}`);
      assert.equal(secret, undefined);
    }
    path = next && `${NOTES_PATH}?sandbox=box&cursor=${next}`;
  }
  assert.deepEqual(listed, paths.reverse());
});

Deno.test("a record is ended once, or as it was read", async () => {
  const { send, made, counts } = setUpApi();
  const path = await made();
  async function end(more: Record<string, string> = {}) {
    const headers = { ...MEMBER, ...more };
    const { status, code } = await send(path, { method: "DELETE", headers });
    return [status, code];
  }
  for (const etag of ['"other"', 'W/"v1"', "v1"]) {
    const refused = [412, "precondition_failed"];
    assert.deepEqual(await end({ "if-match": etag }), refused, etag);
  }
  const { response } = await send(path, { headers: MEMBER });
  const etag = response.headers.get("etag") ?? "";
  assert.deepEqual(await end({ "if-match": `"x", ${etag}` }), [204, null]);
  assert.deepEqual(await end(), [404, "not_found"]);
  assert.deepEqual(counts, [["share", "made"], ["share", "ended"]]);
});

Deno.test("a record that has changed since this gateway read it is ended as it is now", async () => {
  const { send, made, records } = setUpApi();
  for (const isAnyWanted of [true, false]) {
    const path = await made();
    const end = async (wanted: string) => {
      const headers = { ...MEMBER, "if-match": wanted };
      return (await send(path, { method: "DELETE", headers })).status;
    };
    const id = path.slice(path.lastIndexOf("/") + 1);
    const found = await records.get(NOTES, id) ?? assert.fail();
    const changed = await records.put(NOTES, found.record, found);
    assert(typeof changed === "object");
    const { get } = records;
    records.get = (() => Promise.resolve(found)) as typeof get; // as it was
    assert.equal(await end(`"${found.etag}"`), 412);
    assert.equal(await end(isAnyWanted ? "*" : `"${changed.etag}"`), 204);
    records.get = get;
  }
});

Deno.test("a record of others and one that is not there are refused alike, after the same questions", async () => {
  const { send, made, records, gated } = setUpApi();
  const foreign = await made();
  const absent = `${NOTES_PATH}/${"A".repeat(22)}`;
  const headers = memberOf("other");
  const told: unknown[] = [];
  for (const path of [foreign, absent]) {
    for (const method of ["GET", "DELETE"]) {
      const [asked, questions] = [records.asked.length, gated.length];
      const { response, status } = await send(path, { method, headers });
      const { requestId: _, ...body } = await response.json();
      told.push({
        status,
        body,
        headers: [...response.headers],
        asked: records.asked.slice(asked).length,
        questions: gated.slice(questions).length,
      });
    }
  }
  assert.equal(new Set(told.map((each) => JSON.stringify(each))).size, 1);
  assert.equal((await send(foreign, { headers: MEMBER })).status, 200);
});

Deno.test("what cannot be an id is 404, and the store is not asked", async () => {
  const { send, records } = setUpApi();
  for (const id of ["x", "A".repeat(23), "..%2F..%2Fother-kind-of-record"]) {
    const { code } = await send(`${NOTES_PATH}/${id}`, { headers: MEMBER });
    assert.equal(code, "not_found", id);
  }
  assert.deepEqual(records.asked, []);
});

Deno.test("who asks for many records that are not there is told to wait, and the store is asked no more", async () => {
  const { send, records } = setUpApi();
  const codes = new Set<string | null>();
  for (let i = 0; i < 100; i++) {
    const path = `${NOTES_PATH}/${String(i).padStart(22, "A")}`;
    codes.add((await send(path, { headers: memberOf("other") })).code);
  }
  assert.deepEqual([...codes], ["not_found", "too_many_refusals"]);
  assert.equal(records.asked.length, 60);
});

Deno.test("a sandbox that has as many as it may have gets no more", async () => {
  const { send, made, records } = setUpApi();
  records.cap = 1;
  await made();
  const { status, code } = await send(NOTES_PATH, {
    method: "POST",
    headers: { ...MEMBER, ...JSON_TYPE },
    body: wish(),
  });
  assert.deepEqual([status, code], [409, "records_full"]);
});

Deno.test("records of a sandbox that is gone keep nobody of its organization from making one", async () => {
  const { send, made, records, destroyed } = setUpApi();
  records.cap = 1;
  await made();
  destroyed.add("box");
  const { status } = await send(NOTES_PATH, {
    method: "POST",
    headers: { ...memberOf("other"), ...JSON_TYPE },
    body: wish({ sandbox: "other" }),
  });
  assert.equal(status, 201);
});

Deno.test("while the store is away, nothing is made, read or ended, and the answer says so", async () => {
  const { send, made, records } = setUpApi();
  const path = await made();
  records.isAway = true;
  for (
    const [method, target] of [
      ["POST", NOTES_PATH],
      ["GET", `${NOTES_PATH}?sandbox=box`],
      ["GET", path],
      ["DELETE", path],
    ] as const
  ) {
    const { status, code, response } = await send(target, {
      method,
      headers: { ...MEMBER, ...JSON_TYPE },
      ...method === "POST" && { body: wish() },
    });
    assert.deepEqual([status, code], [503, "records_unavailable"], method);
    assert(response.headers.has("retry-after"));
  }
});

Deno.test("the routes of a feature that is switched off are 501, and others 404", async () => {
  const { send } = setUpApi();
  const { status, code } = await send("/api/v1/tokens", { method: "POST" });
  const isDescribed = code !== "route_not_found";
  assert(!isDescribed || status === 501 && code === "feature_off");
  const other = await send("/api/v1/nothing");
  assert.equal(other.code, "route_not_found");
});
