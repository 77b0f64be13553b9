/** The official SDK with an organization's key at the hosted stand-in, as an independent witness. */
import { Daytona } from "@daytonaio/sdk";
import assert from "node:assert/strict";
import {
  HOSTED_KEYS,
  startHostedStack,
} from "../../../scripts/stand_in/hosted_stack.ts";
import { askHosted } from "./hosted_client.ts";

Deno.test("the official SDK's links open a private sandbox of the hosted stand-in, and it starts it again", async () => {
  await using stack = await startHostedStack();
  const { api, hosted } = stack;
  Object.assign(api.lifecycle.jobs, { startMs: 0, stopMs: 0 });
  await using daytona = new Daytona({
    apiKey: HOSTED_KEYS.organization,
    apiUrl: api.url,
    // Otherwise the SDK opens a WebSocket for events, directly to the API.
    useDeprecatedPolling: true,
  });
  const sandbox = await daytona.get("locked");
  const visit = async (token: string) => {
    const headers = [`X-Daytona-Preview-Token: ${token}`];
    return (await askHosted(stack, "3000-locked", { headers })).status;
  };
  const { url, token } = await sandbox.getPreviewLink(3000);
  assert.equal(url, hosted.origin("3000-locked.hosted.localhost"));
  assert.equal(await visit(token), 200);
  const signed = await sandbox.getSignedPreviewUrl(3000, 60);
  const label = new URL(signed.url).hostname.split(".")[0] ?? "";
  assert.equal((await askHosted(stack, label)).status, 200);
  await sandbox.expireSignedPreviewUrl(3000, signed.token);
  assert.equal((await askHosted(stack, label)).status, 307);

  await sandbox.stop();
  assert.equal(await visit(token), 400);
  await sandbox.start();
  const renewed = await sandbox.getPreviewLink(3000);
  assert.notEqual(renewed.token, token);
  assert.equal(await visit(renewed.token), 200);
});
