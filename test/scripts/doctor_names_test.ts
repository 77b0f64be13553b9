/** `doctor --names`: each name's DNS, certificate and sandbox. */
import assert from "node:assert/strict";
import {
  checkNames,
  examineNames,
} from "../../scripts/doctor/names/examine.ts";
import type { World } from "../../scripts/doctor/world.ts";
import { KEYS } from "../../scripts/stand_in/stack.ts";
import type { NameToCheck } from "../../src/gateway/feature_module.ts";
import { configOf } from "../support/config.ts";
import { BASE, startGatewayOf } from "../support/gateway.ts";
import { textFile } from "../support/text_file.ts";
import { type Patient, startPatient, TEST_WORLD } from "./doctor_world.ts";

const FOLDER = new URL("./doctor_tls/", import.meta.url);

function pem(name: string): string {
  return Deno.readTextFileSync(new URL(`${name}.pem`, FOLDER));
}

/** A day before the test certificates expire, and long before. */
const LAST_DAY = Date.parse("2126-10-30T18:10:08Z");
const LONG_BEFORE = Date.parse("2126-07-23T18:10:08Z");

const NAME: NameToCheck = {
  host: "shop.preview.test",
  sandboxId: "demo",
  port: 3000,
  state: "active",
};

/** Addresses by host; all else has none. */
function dnsOf(addresses: Readonly<Record<string, readonly string[]>>) {
  return (host: string) => Promise.resolve(addresses[host] ?? []);
}

/** The findings about a name at an installation, as `check: state: text`. */
async function look(
  { stack }: Patient,
  differences: Partial<NameToCheck> = {},
  { env = {}, world = {} }: {
    readonly env?: Readonly<Record<string, string>>;
    readonly world?: Partial<World>;
  } = {},
): Promise<string[]> {
  const config = configOf({
    ...stack.environment,
    PROXY_DOMAIN: "preview.test",
    PROXY_PROTOCOL: "http",
    ...env,
  });
  const resolve = dnsOf({
    "preview.test": ["127.0.0.1"],
    "shop.preview.test": ["127.0.0.1"],
  });
  const found = await checkNames([{ ...NAME, ...differences }], config, {
    ...TEST_WORLD,
    resolve,
    ...world,
  });
  return found.map(({ name, state, finding }) =>
    `${name}: ${state}: ${finding}`
  );
}

Deno.test("doctor --names says where each name leads", async () => {
  await using patient = await startPatient();
  assert.deepEqual(await look(patient), [
    "name's DNS: ok: shop.preview.test is at 127.0.0.1, where preview.test is.",
    "name's certificate: skipped: PROXY_PROTOCOL is http, so there is no certificate.",
    "name's sandbox: ok: shop.preview.test is for port 3000 of demo, which is started.",
  ]);
});

Deno.test("doctor --names finds a name that leads nowhere, or elsewhere than the base domain", async () => {
  await using patient = await startPatient();
  const host = "shop.customer.test";
  const [none] = await look(patient, { host });
  assert.equal(
    none,
    "name's DNS: failed: There is no address for shop.customer.test.",
  );
  const [claimed] = await look(patient, { host, state: "pending" });
  assert.equal(
    claimed,
    "name's DNS: warning: There is no address for shop.customer.test.",
  );
  const [elsewhere] = await look(patient, { host }, {
    world: {
      resolve: dnsOf({
        "preview.test": ["192.0.2.1", "2001:db8::1"],
        [host]: ["192.0.2.7"],
      }),
    },
  });
  assert.equal(
    elsewhere,
    "name's DNS: warning: shop.customer.test is at 192.0.2.7, but preview.test at 192.0.2.1, 2001:db8::1.",
  );
  const [unknown] = await look(patient, { host }, {
    world: { resolve: () => Promise.reject(new Error("SERVFAIL")) },
  });
  assert.equal(
    unknown,
    "name's DNS: skipped: Cannot look up shop.customer.test: SERVFAIL.",
  );
  const [local] = await look(patient, { host: "shop.localhost" });
  assert.match(local ?? "", /: ok: Browsers resolve shop\.localhost /);
});

Deno.test("doctor --names says whether the DNS proves whose a custom domain is", async () => {
  await using patient = await startPatient();
  async function proofOf(
    state: NameToCheck["state"],
    problem: string | undefined,
  ): Promise<string | undefined> {
    const disproof = () => Promise.resolve(problem);
    const found = await look(patient, { state, disproof });
    return found.find((each) => each.startsWith("name's proof: "))?.slice(14);
  }
  assert.equal(
    await proofOf("active", "no TXT"),
    "failed: The DNS does not prove whose shop.preview.test is: no TXT.",
  );
  assert.equal(
    await proofOf("pending", "no TXT"),
    "warning: The DNS does not prove whose shop.preview.test is: no TXT.",
  );
  assert.equal(
    await proofOf("suspended", undefined),
    "warning: The DNS proves whose shop.preview.test is, but it is suspended.",
  );
  assert.equal(
    await proofOf("active", undefined),
    "ok: The DNS proves whose shop.preview.test is.",
  );
});

Deno.test("doctor --names wants a certificate for each name in force that browsers accept", async () => {
  await using patient = await startPatient();
  const tls = { cert: pem("cert"), key: pem("key") };
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, ...tls, onListen() {} },
    () => new Response(),
  );
  async function shown(
    differences: Partial<NameToCheck>,
    world: Partial<World>,
  ): Promise<string | undefined> {
    const found = await look(patient, differences, {
      env: {
        PROXY_PROTOCOL: "https",
        PROXY_DOMAIN: `preview.test:${server.addr.port}`,
      },
      world: { caCerts: [pem("ca")], ...world },
    });
    return found.find((each) => each.startsWith("name's certificate: "))
      ?.slice(20);
  }
  assert.equal(
    await shown({}, { now: () => LONG_BEFORE }),
    "ok: That of shop.preview.test is valid for 100 days more.",
  );
  assert.equal(
    await shown({}, { now: () => LAST_DAY }),
    "warning: The certificate for shop.preview.test expires on 2126-10-31.",
  );
  const host = "shop.customer.test";
  const resolve = dnsOf({ [host]: ["127.0.0.1"] });
  assert.equal(
    await shown({ host }, { resolve }),
    "failed: The certificate for shop.customer.test is not accepted: it is not for shop.customer.test.",
  );
  assert.equal(
    await shown({ host }, {}),
    "skipped: shop.customer.test has no address to connect to.",
  );
  assert.equal(
    await shown({ state: "pending" }, {}),
    "skipped: shop.preview.test is pending, so it may have none.",
  );
});

Deno.test("doctor --names finds names whose sandbox was deleted or does not run", async () => {
  await using patient = await startPatient();
  const [, , gone] = await look(patient, { sandboxId: "not-there" });
  assert.equal(
    gone,
    "name's sandbox: failed: shop.preview.test is for port 3000 of not-there, which the API does not know.",
  );
  const [, , stopped] = await look(patient, { sandboxId: "stopped" });
  assert.equal(
    stopped,
    "name's sandbox: warning: shop.preview.test is for port 3000 of stopped, which is stopped.",
  );
  patient.stack.api.outage = 503;
  const [, , unknown] = await look(patient);
  assert.equal(
    unknown,
    "name's sandbox: skipped: shop.preview.test is for port 3000 of demo. The API does not tell its state: status 503.",
  );
});

Deno.test("doctor --names reads NAMES_FILE, and says so if there are no names, or none can be read", async () => {
  await using patient = await startPatient();
  await using file = await textFile(
    '{"shop.localhost": {"sandbox": "demo", "port": 3000}}',
  );
  async function examined(env: Readonly<Record<string, string>>) {
    const found = await examineNames({ ...patient.env, ...env }, TEST_WORLD);
    return found.map(({ name, state }) => `${name}: ${state}`);
  }
  assert.deepEqual(
    await examined({ NAMES: "operator", NAMES_FILE: file.path }),
    [
      "name's DNS: ok",
      "name's certificate: skipped",
      "name's sandbox: ok",
    ],
  );
  assert.deepEqual(await examined({}), ["names: ok"]);
  const dir = await Deno.makeTempDir({ dir: "./data/test" });
  const RECORDS_URL = `kv:${dir}`;
  assert.deepEqual(await examined({ NAMES: "members", RECORDS_URL }), [
    "names: failed",
  ]);
  await Deno.remove(dir, { recursive: true });
});

Deno.test("doctor --names reads members' names from where the gateway keeps them", async () => {
  await using patient = await startPatient();
  await Deno.mkdir("./data/test", { recursive: true });
  const dir = await Deno.makeTempDir({ dir: "./data/test" });
  const env = { NAMES: "members", RECORDS_URL: `kv:${dir}/records.sqlite` };
  await using gateway = await startGatewayOf(patient.stack, env);
  const host = `shop.${BASE}`;
  const made = await gateway.send(BASE, {
    method: "PUT",
    path: `/api/v1/names/${host}`,
    headers: {
      authorization: `Bearer ${KEYS.user}`,
      "content-type": "application/json",
    },
    body: '{"sandbox": "demo", "port": 3000}',
  });
  assert.equal(made.status, 201);
  const found = await examineNames({ ...patient.env, ...env }, TEST_WORLD);
  const [, , sandbox] = found;
  assert.equal(
    sandbox?.finding,
    `${host} is for port 3000 of demo, which is started.`,
  );
  await Deno.remove(dir, { recursive: true });
});

Deno.test("doctor finds a NAMES_FILE that cannot be used, with or without --names", async () => {
  await using patient = await startPatient();
  await using file = await textFile(
    '{"3000-demo.proxy.localhost": {"sandbox": "demo", "port": 3000}}',
  );
  const env = { NAMES: "operator", NAMES_FILE: file.path };
  const [configuration] = (await patient.examine({ env }))
    .get("configuration") ?? [];
  assert.equal(configuration?.state, "failed");
  assert.match(configuration?.hint ?? "", /\/3000-demo\.proxy\.localhost: /);
  const found = await examineNames({ ...patient.env, ...env }, TEST_WORLD);
  assert.equal(found[0]?.state, "failed");
  assert.match(found[0]?.hint ?? "", /\/3000-demo\.proxy\.localhost: /);
});
