/** The doctor as operators run it. */
import assert from "node:assert/strict";
import { USAGE } from "../../scripts/doctor/arguments.ts";
import { KEYS } from "../../scripts/stand_in/stack.ts";
import { type Ended, runScript } from "../support/run_script.ts";
import { textFile } from "../support/text_file.ts";
import { SESSION_SECRET, startPatient } from "./doctor_world.ts";

function runDoctor(
  env: Readonly<Record<string, string>>,
  ...args: string[]
): Promise<Ended> {
  return runScript("doctor", "scripts/doctor.ts", { args, env });
}

Deno.test("doctor.ts exits 0 where nothing failed, and prints no secret", async () => {
  await using patient = await startPatient();
  const { code, out, err } = await runDoctor(patient.env);

  assert.equal(code, 0, out + err);
  assert.equal(err, "");
  assert.match(out, /^ok {7}configuration {7}Every setting is valid\.$/m);
  assert.match(out, /^ok {7}redirect URI {8}http:\S+\/callback is registered/m);
  for (const secret of [KEYS.service, SESSION_SECRET]) {
    assert.equal(out.includes(secret), false, secret);
  }
});

Deno.test("doctor.ts exits 1 where something failed, and says so as JSON", async () => {
  await using patient = await startPatient();
  const key = "a-key-that-nobody-knows";
  const { code, out } = await runDoctor(
    { ...patient.env, PROXY_API_KEY: key },
    "--json",
  );

  assert.equal(code, 1);
  const { findings } = JSON.parse(out);
  assert.deepEqual(
    findings.filter(({ state }: { state: string }) => state === "failed")
      .map(({ name }: { name: string }) => name),
    ["service key"],
  );
  assert.equal(out.includes(key), false);
});

Deno.test("doctor.ts --sandbox prints a line for each hop of a preview, and not its token", async () => {
  await using patient = await startPatient();
  const token = KEYS.lockedToken;
  const { code, out, err } = await runDoctor(
    { ...patient.env, PREVIEW_TOKEN: token },
    "--sandbox",
    "locked",
    "--path=/ws",
  );

  assert.equal(code, 0, out + err);
  assert.match(
    out,
    /^ok {7}WebSocket {4}A handshake for \/ws .* 101 by the app/m,
  );
  assert.match(out, /^ok {7}preview {6}http:\S+\/ws works\.$/m);
  assert.equal(out.includes(token), false);
  assert.equal(out.includes(KEYS.runner), false);
});

Deno.test("doctor.ts --names prints what is found about each name", async () => {
  await using patient = await startPatient();
  await using file = await textFile(
    '{"shop.localhost": {"sandbox": "demo", "port": 3000}}',
  );
  const env = { ...patient.env, NAMES: "operator", NAMES_FILE: file.path };
  const { code, out, err } = await runDoctor(env, "--names");

  assert.equal(code, 0, out + err);
  assert.match(out, /^ok {7}name's DNS {10}Browsers resolve shop\.localhost /m);
  assert.match(
    out,
    /^ok {7}name's sandbox {6}shop\.localhost is for port 3000 /m,
  );
});

Deno.test("doctor.ts prints what failed first, and last how much did", async () => {
  await using patient = await startPatient();
  const key = "a-key-that-nobody-knows";
  const { out } = await runDoctor({ ...patient.env, PROXY_API_KEY: key });
  assert.match(out, /^failed {3}service key /);
  assert.match(out, /^skipped {2}region /m);
  assert.match(out, /\n\n1 failed, \d warnings?\n$/);
});

Deno.test("doctor.ts --help exits 0", async () => {
  assert.deepEqual(await runDoctor({}, "--help"), {
    code: 0,
    out: `${USAGE}\n`,
    err: "",
  });
});

Deno.test("doctor.ts exits 2 where the configuration, or its own arguments, cannot be used", async () => {
  const secret = "too-short-to-be-one";
  const unset = await runDoctor({ SESSION_SECRETS: secret });
  assert.equal(unset.code, 2);
  assert.match(unset.out, /DAYTONA_API_URL is not set\./);
  assert.match(unset.out, /SESSION_SECRETS is \(hidden, 19 characters\)\./);
  assert.equal(unset.out.includes(secret), false);

  for (const argument of ["--verbose", "a/b"]) {
    assert.deepEqual(await runDoctor({}, argument), {
      code: 2,
      out: "",
      err: `${USAGE}\n`,
    });
  }
});
