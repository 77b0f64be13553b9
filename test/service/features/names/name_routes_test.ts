/** `/api/v1/names`: who gets which host, and for how long, tested on complete services. */
import assert from "node:assert/strict";
import { KEYS } from "../../../../scripts/stand_in/stack.ts";
import { collectLog } from "../../../support/collected_log.ts";
import { type Answer, BASE, startGateway } from "../../../support/gateway.ts";
import { startRecordsGateway } from "../../../support/records_api.ts";
import { skewClock } from "../../../support/skewed_clock.ts";
import { testRecordKind } from "../../../support/suites/record_kind.ts";
import { textFile } from "../../../support/text_file.ts";
import { WORLDS } from "../../../support/worlds.ts";
import {
  askApi,
  endName,
  MEMBERS,
  OWN,
  putName,
  putTheirs,
  readName,
  SHOP,
  startNameGateway,
  THEIR_KEY,
  verifyName,
} from "./name_gateway.ts";

const DAY_MS = 86_400_000;

function outcomeOf({ status, code }: Answer): [number, string | null] {
  return [status, code];
}

const OK: [number, null] = [200, null];
const MADE: [number, null] = [201, null];
const TAKEN: [number, string] = [409, "name_taken"];
const ABSENT: [number, string] = [404, "not_found"];
const OTHER_VERSION: [number, string] = [412, "precondition_failed"];

testRecordKind({
  name: "names",
  settings: MEMBERS,
  wish: { sandbox: "locked", port: 3000 },
  putAt: `/${SHOP}`,
  verbs: ["verify"],
  strangers: [[{ authorization: `Bearer ${THEIR_KEY}` }, 404]],
  start: startNameGateway,
});

for (const { suffix, startGateway, memberKey: key } of WORLDS) {
  Deno.test(`a name is made, read, listed, led elsewhere and given up by members${suffix}`, async () => {
    await using gateway = await startNameGateway(startGateway);
    const made = await putName(gateway, SHOP, { key });
    assert.deepEqual(outcomeOf(made), MADE);
    const { createdAt, createdBy, ...rest } = made.json();
    assert.match(String(createdAt), /^\d{4}-\d\d-\d\dT.*Z$/);
    assert.equal(typeof createdBy, "string");
    assert.deepEqual(rest, {
      host: SHOP,
      kind: "alias",
      sandboxId: "demo",
      port: 3000,
      state: "active",
      expiresAt: null,
      failingSince: null,
      lastError: null,
    });
    const read = await readName(gateway, SHOP, key);
    for (const answer of [made, read]) {
      assert.equal(answer.headers.get("cache-control"), "no-store");
      assert.match(answer.headers.get("etag") ?? "", /^"[\w-]+"$/);
    }
    assert.equal(read.headers.get("etag"), made.headers.get("etag"));
    assert.deepEqual(read.json(), made.json());

    const moved = await putName(gateway, SHOP, {
      key,
      sandbox: "locked",
      port: 8000,
    });
    assert.deepEqual(outcomeOf(moved), OK);
    assert.deepEqual(
      { ...moved.json(), sandboxId: "demo", port: 3000 },
      made.json(),
    );
    assert.notEqual(moved.headers.get("etag"), made.headers.get("etag"));
    const other = await putName(gateway, `tea.${BASE}`, {
      key,
      sandbox: "locked",
    });
    const listOf = async (sandbox: string) =>
      (await askApi(gateway, key, { path: `?sandbox=${sandbox}` })).json();
    assert.deepEqual(await listOf("demo"), { items: [] });
    const { items } = await listOf("locked");
    assert(Array.isArray(items));
    assert.deepEqual(new Set(items), new Set([other.json(), moved.json()]));
    const end = () => endName(gateway, SHOP, { key }).then(outcomeOf);
    assert.deepEqual(await end(), [204, null]);
    assert.deepEqual(await end(), ABSENT);
    assert.deepEqual(outcomeOf(await readName(gateway, SHOP, key)), ABSENT);
    assert.deepEqual(await listOf("locked"), { items: [other.json()] });
  });
}

Deno.test("a name is changed and given up only as the request's preconditions allow", async () => {
  await using gateway = await startNameGateway();
  async function put(headers: Record<string, string>, port = 3000) {
    return await putName(gateway, SHOP, { port, headers });
  }
  for (const absent of ["*", '"other"']) {
    const answer = await put({ "if-match": absent });
    assert.deepEqual(outcomeOf(answer), OTHER_VERSION);
  }
  const made = await put({ "if-none-match": "*" });
  assert.deepEqual(outcomeOf(made), MADE);
  const old = made.headers.get("etag") ?? "";
  const again = await put({ "if-none-match": "*" });
  assert.deepEqual(outcomeOf(again), OTHER_VERSION);
  const moved = await put({ "if-match": `"x", ${old}` }, 8000);
  assert.deepEqual(outcomeOf(moved), OK);
  const etag = moved.headers.get("etag") ?? "";
  for (const refused of [old, `W/${etag}`, "other", '""']) {
    const headers = { "if-match": refused };
    assert.deepEqual(outcomeOf(await put(headers)), OTHER_VERSION, refused);
    const ended = await endName(gateway, SHOP, { headers });
    assert.deepEqual(outcomeOf(ended), OTHER_VERSION, refused);
  }
  assert.equal((await readName(gateway, SHOP)).json()["port"], 8000);
  const headers = { "if-match": etag };
  assert.equal((await endName(gateway, SHOP, { headers })).status, 204);
});

Deno.test("an alias that another organization has, or had in the last 30 days, is taken, and its own may have it back", async () => {
  using clock = skewClock();
  await using gateway = await startNameGateway();
  const theirs = () => putTheirs(gateway, SHOP).then(outcomeOf);
  assert.equal((await putName(gateway, SHOP)).status, 201);
  assert.deepEqual(await theirs(), TAKEN);
  assert.equal((await endName(gateway, SHOP)).status, 204);
  assert.deepEqual(await theirs(), TAKEN);
  const back = await putName(gateway, SHOP, { sandbox: "locked" });
  assert.deepEqual(outcomeOf(back), MADE);
  assert.equal((await endName(gateway, SHOP)).status, 204);
  clock.jump(30 * DAY_MS - 60_000);
  assert.deepEqual(await theirs(), TAKEN);
  clock.jump(60_000);
  assert.deepEqual(await theirs(), MADE);
  assert.deepEqual(outcomeOf(await putName(gateway, SHOP)), TAKEN);
});

Deno.test("names of others and those that are not there are refused alike, after as many questions", async () => {
  await using gateway = await startNameGateway();
  const { calls } = gateway.stack.api;
  assert.equal((await putTheirs(gateway, SHOP)).status, 201);
  async function refusalOf(answering: Promise<Answer>): Promise<unknown> {
    const before = calls.length;
    const { status, headers, body } = await answering;
    const { requestId: _, ...problem } = JSON.parse(body);
    headers.delete("date");
    headers.delete("x-request-id");
    const asked = calls.slice(before).map(({ operation }) => operation);
    return { status, headers: [...headers], problem, asked };
  }
  const told = new Set<string>();
  for (const host of [SHOP, `none.${BASE}`, "www.none.test", "x"]) {
    told.add(JSON.stringify([
      await refusalOf(readName(gateway, host)),
      await refusalOf(endName(gateway, host)),
      await refusalOf(verifyName(gateway, host)),
    ]));
  }
  assert.equal(told.size, 1, [...told].join("\n"));
  assert.match([...told].join(), /not_found/);
  assert.equal((await readName(gateway, SHOP, THEIR_KEY)).status, 200);
});

Deno.test("hostile hosts and bodies are refused with all that is wrong with them, and change nothing", async () => {
  await using gateway = await startNameGateway();
  const good = { sandbox: "demo", port: 3000 };
  async function pathsOf(host: string, body: unknown): Promise<unknown> {
    const answer = await gateway.send(BASE, {
      method: "PUT",
      path: `/api/v1/names/${host}`,
      headers: {
        authorization: `Bearer ${KEYS.user}`,
        "content-type": "application/json",
      },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
    assert.deepEqual(outcomeOf(answer), [400, "invalid_request"], host);
    const { errors } = JSON.parse(answer.body);
    return errors.map(({ path }: { path: string }) => path);
  }
  for (
    const host of [
      `www.${BASE}`,
      `3000-demo.${BASE}`,
      BASE,
      `Shop.${BASE}`,
      `${SHOP}.`,
      `${SHOP}:80`,
      "shop%2f..%2f..",
      "shop%00.test",
      "%ff",
      "127.0.0.1",
      `a.${SHOP}`,
      "shop.test",
    ]
  ) assert.deepEqual(await pathsOf(host, good), ["/host"], host);
  for (
    const [body, ...paths] of [
      ["", ""],
      ["{", ""],
      ["[]", ""],
      ["null", ""],
      [{}, "/sandbox", "/port"],
      [{ ...good, port: 2280 }, "/port"],
      [{ ...good, port: 0 }, "/port"],
      [{ ...good, port: "3000" }, "/port"],
      [{ ...good, port: 3000.5 }, "/port"],
      [{ ...good, sandbox: "../demo" }, "/sandbox"],
      [{ ...good, sandbox: ["demo"] }, "/sandbox"],
      [{ ...good, host: OWN, "a/b": 1 }, "/host", "/a~1b"],
      [`{"sandbox":"demo","port":3000,"__proto__":{}}`, "/__proto__"],
    ] as const
  ) {
    const found = await pathsOf(SHOP, body);
    assert.deepEqual(found, paths, JSON.stringify(body));
  }
  const path = `/${SHOP}`;
  const text = { "content-type": "text/plain" };
  const plain = { method: "PUT", path, headers: text, body: good };
  assert.equal((await askApi(gateway, KEYS.user, plain)).status, 415);
  const long = { ...good, note: "x".repeat(17_000) };
  const tooLong = { method: "PUT", path, body: long };
  assert.equal((await askApi(gateway, KEYS.user, tooLong)).status, 413);
  const method = { method: "PATCH", path, body: good };
  assert.equal((await askApi(gateway, KEYS.user, method)).status, 404);
  assert.deepEqual(outcomeOf(await readName(gateway, SHOP)), ABSENT);
});

Deno.test("a sandbox has 100 names at most, of which none is lost by another", async () => {
  using clock = skewClock();
  await using gateway = await startNameGateway();
  for (let at = 0; at < 100; at++) {
    clock.jump(1_000);
    const answer = await putName(gateway, `a${at}.${BASE}`);
    assert.equal(answer.status, 201, answer.body);
  }
  const full = [409, "records_full"];
  assert.deepEqual(outcomeOf(await putName(gateway, SHOP)), full);
  assert.deepEqual(outcomeOf(await putName(gateway, OWN)), full);
  const moved = await putName(gateway, `a7.${BASE}`, { port: 8000 });
  assert.deepEqual(outcomeOf(moved), OK);
  const other = { sandbox: "locked" };
  assert.deepEqual(outcomeOf(await putName(gateway, SHOP, other)), MADE);
  assert.deepEqual(outcomeOf(await putName(gateway, SHOP)), full);
  const list = await askApi(gateway, KEYS.user, { path: "?sandbox=demo" });
  const items = list.json()["items"];
  assert(Array.isArray(items));
  assert.equal(items.length, 100);
  assert.equal((await endName(gateway, `a7.${BASE}`)).status, 204);
  assert.deepEqual(outcomeOf(await putName(gateway, SHOP)), OK);
});

Deno.test("a sandbox without an organization has 100 names at most with those that it has given up, and gets these again", async () => {
  using clock = skewClock();
  await using gateway = await startNameGateway();
  gateway.stack.api.state.lacks.add("getSandbox"); // as to a proxy of another region
  for (let at = 0; at < 100; at++) {
    clock.jump(2_000);
    const host = `a${at}.${BASE}`;
    assert.deepEqual(outcomeOf(await putName(gateway, host)), MADE);
    assert.equal((await endName(gateway, host)).status, 204);
  }
  const full = [409, "records_full"];
  clock.jump(10_000);
  assert.deepEqual(outcomeOf(await putName(gateway, SHOP)), full);
  assert.deepEqual(outcomeOf(await putName(gateway, `a7.${BASE}`)), MADE);
  clock.jump(30 * DAY_MS);
  assert.deepEqual(outcomeOf(await putName(gateway, SHOP)), MADE);
});

Deno.test("while the API does not tell whose a sandbox is, its names are neither made nor led elsewhere", async () => {
  using clock = skewClock();
  await using gateway = await startNameGateway();
  const { api } = gateway.stack;
  assert.deepEqual(outcomeOf(await putName(gateway, SHOP)), MADE);
  clock.jump(3_000);
  api.fault = ({ operation }, answer) =>
    operation === "getSandbox" ? new Response(null, { status: 503 }) : answer();
  const untold = [503, "api_unreachable"];
  const moved = () => putName(gateway, SHOP, { sandbox: "locked" });
  assert.deepEqual(outcomeOf(await moved()), untold);
  const tea = `tea.${BASE}`;
  assert.deepEqual(outcomeOf(await putName(gateway, tea)), untold);
  assert.deepEqual(outcomeOf(await readName(gateway, tea)), ABSENT);
  assert.equal((await endName(gateway, SHOP)).status, 204);
  api.fault = undefined;
  clock.jump(3_000);
  assert.deepEqual(outcomeOf(await moved()), MADE);
  assert.deepEqual(outcomeOf(await putName(gateway, tea)), MADE);
});

Deno.test("an organization makes, changes and ends 60 names in a minute, however many sandboxes it has", async () => {
  using clock = skewClock();
  await using gateway = await startNameGateway();
  const outcomes: string[] = [];
  for (let at = 0; at < 40; at++) {
    const sandbox = at % 2 === 0 ? "demo" : "locked";
    const put = await putName(gateway, SHOP, { sandbox });
    const answer = put.code === null ? await endName(gateway, SHOP) : put;
    outcomes.push(answer.code ?? "done");
    if (answer.code === null) continue;
    assert.equal(answer.status, 429);
    assert(Number(answer.headers.get("retry-after")) >= 1);
  }
  const doneCount = outcomes.filter((each) => each === "done").length;
  assert(doneCount >= 30 && doneCount < 35, outcomes.join());
  assert.equal(outcomes.at(-1), "names_throttled");
  assert.deepEqual(outcomeOf(await putTheirs(gateway, `tea.${BASE}`)), MADE);
  clock.jump(60_000);
  assert.equal((await putName(gateway, SHOP)).code, null);
});

Deno.test("the log tells of names that are made, changed and ended", async () => {
  await using log = await collectLog();
  await using gateway = await startNameGateway();
  assert.equal((await putName(gateway, SHOP)).status, 201);
  assert.equal((await putName(gateway, SHOP, { port: 8000 })).status, 200);
  assert.equal((await endName(gateway, SHOP)).status, 204);
  const ports = [];
  for (const outcome of ["made", "changed", "ended"]) {
    const line = await log.next(`record ${outcome}`);
    assert.deepEqual([line.kind, line.id, line.sandboxId], [
      "names",
      SHOP,
      "demo",
    ]);
    assert.match(String(line.subject), /^key-/);
    assert.equal(typeof line.requestId, "string");
    ports.push(line.port);
  }
  assert.deepEqual(ports, [3000, 8000, 8000]);
});

Deno.test("while only the operator gives names, the routes are off", async () => {
  const target = JSON.stringify({ [OWN]: { sandbox: "demo", port: 3000 } });
  await using file = await textFile(target);
  await using gateway = await startRecordsGateway(startGateway, {
    NAMES: "operator",
    NAMES_FILE: file.path,
  });
  for (
    const answer of [
      await putName(gateway, SHOP),
      await readName(gateway, SHOP),
      await endName(gateway, SHOP),
      await verifyName(gateway, SHOP),
      await askApi(gateway, KEYS.user, { path: "?sandbox=demo" }),
    ]
  ) assert.deepEqual(outcomeOf(answer), [501, "feature_off"]);
});
