import assert from "node:assert/strict";
import { fetchFailure } from "../../../src/platform/fetch_failure.ts";
import { freePort } from "../../support/free_port.ts";
import { stillNeeded } from "./canary.ts";

const SECRET = "top-secret";

async function failedFetch(): Promise<unknown> {
  const url = `http://127.0.0.1:${freePort()}/${SECRET}?token=${SECRET}`;
  return await fetch(url).then(() => assert.fail(), (error) => error);
}

Deno.test("fetchFailure() says why, without the URL", async () => {
  const reason = fetchFailure(await failedFetch());
  assert.match(reason, /Connection refused/);
  assert.match(reason, /\(url\)/);
  assert.doesNotMatch(reason, /127\.0\.0\.1|top-secret/);
  assert.equal(fetchFailure("broken"), "broken");
});

Deno.test("canary: the cause of a failed fetch() contains its URL", async () => {
  const error = await failedFetch();
  stillNeeded(error instanceof Error && String(error.cause).includes(SECRET), {
    mended: "the errors of fetch()",
    remove: "src/platform/fetch_failure.ts",
  });
});
