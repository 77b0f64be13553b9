import assert from "node:assert/strict";
import { ownForm, ownFormField } from "../../../../src/downstream/http/form.ts";
import { replyTo } from "../../../support/reply_to.ts";

/** A form on its way: what is written to `client` arrives. */
function formOf(fields: Record<string, string>) {
  const { readable, writable } = new TransformStream<Uint8Array<ArrayBuffer>>();
  const leaves = new AbortController();
  const request = new Request("http://p.test/", {
    method: "POST",
    body: readable,
    headers: { host: "p.test", ...fields },
    signal: leaves.signal,
  });
  const reply = replyTo(request);
  return { reply, client: writable.getWriter(), leaves };
}

const CHUNKED = { "transfer-encoding": "chunked" };

Deno.test("a form is read whole, in whichever parts it comes, up to its bound", async () => {
  const { reply, client } = formOf(CHUNKED);
  const form = ownForm(reply, 6);
  for (const part of ["a=", "bcde"]) {
    await client.write(new TextEncoder().encode(part));
  }
  await client.close();
  assert.equal(new TextDecoder().decode(await form), "a=bcde");
});

Deno.test("a form that is too long is refused by its announced length, or once it is", async () => {
  const announced = formOf({ "content-length": "7" });
  await assert.rejects(ownForm(announced.reply, 6), { code: "form_too_long" });
  const { reply, client } = formOf(CHUNKED);
  const form = ownForm(reply, 6);
  await client.write(new Uint8Array(7));
  await assert.rejects(form, { code: "form_too_long" });
});

Deno.test("a form ends as an upload does that has to make room, or whose client leaves", async () => {
  const { reply } = formOf(CHUNKED);
  const form = ownForm(reply, 6);
  await Promise.resolve();
  reply.upload?.fail("evicted");
  await assert.rejects(form, { code: "buffers_full" });
  const left = formOf(CHUNKED);
  const broken = ownForm(left.reply, 6);
  await Promise.resolve();
  left.leaves.abort();
  await assert.rejects(broken, { code: "bad_request" });
});

Deno.test("a request without a body has no form, and a form without the field an empty one", async () => {
  const request = new Request("http://p.test/", { method: "POST" });
  assert.equal(await ownFormField({ reply: replyTo(request) }, "a"), "");
  const { reply, client } = formOf({ "content-length": "3" });
  const field = ownFormField({ reply }, "a");
  await client.write(new TextEncoder().encode("b=c"));
  await client.close();
  assert.equal(await field, "");
});
