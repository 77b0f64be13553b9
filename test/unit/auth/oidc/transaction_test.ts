import assert from "node:assert/strict";
import {
  type Transaction,
  TRANSACTION_TTL_MS,
  TransactionSealer,
} from "../../../../src/auth/oidc/transaction.ts";
import { createSealer } from "../../../../src/lib/seal.ts";

const TRANSACTION: Transaction = {
  state: "state",
  nonce: "nonce",
  codeVerifier: "verifier",
  redirectUri: "https://preview.test/callback",
  returnTo: "https://3000-box.preview.test/",
};

function setUp() {
  const clock = { now: 1_000_000_000_000 };
  const now = () => clock.now;
  const sealer = createSealer({
    secrets: ["s".repeat(32)],
    purpose: "login",
    now,
  });
  return { clock, sealer, transactions: new TransactionSealer(sealer, now) };
}

Deno.test("TransactionSealer finds the transaction of a state among others", async () => {
  const { transactions } = setUp();
  const other = { ...TRANSACTION, state: "other" };
  const sealed = [
    "planted",
    await transactions.seal(other),
    await transactions.seal(TRANSACTION),
  ];
  assert.deepEqual(await transactions.open(sealed, "state"), TRANSACTION);
  assert.deepEqual(await transactions.open(sealed, "other"), other);
  for (const state of ["", "unknown"]) {
    assert.equal(await transactions.open(sealed, state), undefined);
  }
});

Deno.test("TransactionSealer opens no transaction that has expired", async () => {
  const { clock, transactions } = setUp();
  const sealed = [await transactions.seal(TRANSACTION)];
  clock.now += TRANSACTION_TTL_MS - 1;
  assert(await transactions.open(sealed, "state"));
  clock.now += 1;
  assert.equal(await transactions.open(sealed, "state"), undefined);
});

Deno.test("TransactionSealer opens no transaction that lacks a member", async () => {
  const { clock, sealer, transactions } = setUp();
  const incomplete = Object.keys(TRANSACTION).map((name) => ({
    transaction: { ...TRANSACTION, [name]: undefined },
  }));
  for (
    const payload of [...incomplete, {}, { transaction: null }, TRANSACTION]
  ) {
    const sealed = await sealer.seal({ ...payload }, clock.now + 1000);
    assert.equal(
      await transactions.open([sealed], "state"),
      undefined,
      JSON.stringify(payload),
    );
  }
});
