import assert from "node:assert/strict";
import { ATTACKS, selectAttacks } from "./attacks.ts";

const EVERYTHING = {
  only: undefined,
  short: false,
  schemes: ["http", "https"],
} as const;

function namesOf(selection: ReturnType<typeof selectAttacks>): string[] {
  return selection.map(([{ name }, scheme]) => `${name} ${scheme}`);
}

Deno.test("every attack has a name of its own, and each of S1 to S14 is tried but for what only documents can answer", () => {
  const names = ATTACKS.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  for (let row = 1; row <= 14; row++) {
    const isTried = names.some((name) => name.startsWith(`S${row}-`));
    assert.equal(isTried, row !== 12, `S${row}`);
  }
});

Deno.test("attacks go over plain HTTP and over TLS, unless only one of them makes a difference", () => {
  const all = namesOf(selectAttacks(EVERYTHING));
  assert.ok(all.includes("S1-pongs http") && all.includes("S1-pongs https"));
  assert.ok(all.includes("A29-cookies https"));
  assert.ok(!all.includes("A29-cookies http"));
  assert.deepEqual(
    namesOf(selectAttacks({ ...EVERYTHING, schemes: ["http"] })),
    all.filter((name) => name.endsWith(" http")),
  );
});

Deno.test("attacks can be chosen by name and by group, and the gate has few of them, each once", () => {
  const chosen = selectAttacks({
    ...EVERYTHING,
    only: ["S1", "S10-chunks"],
    schemes: ["http"],
  }).map(([{ name }]) => name);
  assert.ok(chosen.includes("S1-pongs") && chosen.includes("S10-chunks"));
  assert.ok(!chosen.includes("S10-events") && !chosen.includes("S11-logout"));

  const short = selectAttacks({ ...EVERYTHING, short: true });
  const names = short.map(([{ name }]) => name);
  assert.equal(new Set(names).size, names.length);
  assert.ok(names.length >= 4 && names.length <= 9, String(names));
});
