/** A program that drives a browser, and has a machine token for a private preview. */
import assert from "node:assert/strict";
import { KEYS } from "../../../../scripts/stand_in/stack.ts";
import { BASE } from "../../../support/gateway.ts";
import {
  type LoginGateway,
  startLoginGateway,
} from "../../../support/login_gateway.ts";
import { recordsFile } from "../../../support/records_file.ts";
import type { ProfileOptions } from "../browser/engine.ts";
import type { Scenario, Stage } from "../scenario.ts";
import { startViteApp } from "../vite_app.ts";
import { follows, PROJECT, survivesRestart } from "./vite.ts";

/** In its first address: from then on, a cookie does. */
export const tokenInQuery: Scenario = {
  name:
    "a machine token in a browser's first address opens a private dev server with all of its modules",
  run: (stage) =>
    developBy(stage, (token) => ({ target: `/?porthole_token=${token}` })),
};

/** In a header, which automation adds to the requests of pages, and not to those of their workers. */
export const tokenInHeader: Scenario = {
  name:
    "a machine token in a header of every request opens a private dev server with all of its modules",
  except: { webkit: "its driver adds no headers" },
  run: (stage) =>
    developBy(stage, (token) => ({
      target: "/",
      options: { headers: { "x-porthole-token": token } },
    })),
};

async function developBy(
  stage: Stage,
  how: (
    token: string,
  ) => { readonly target: string; readonly options?: ProfileOptions },
): Promise<void> {
  await using app = await startViteApp(PROJECT);
  await using records = await recordsFile();
  await using gateway = await startLoginGateway({
    MACHINE_TOKENS: "members",
    ...records.environment,
  });
  const { containers } = gateway.stack.runner;
  containers.get("locked")?.ports.set(app.port, app.port);
  const { target, options } = how(await tokenFor(gateway, app.port));
  const page = await stage.open(options);
  const url = gateway.at(`${app.port}-locked`);
  await page.goto(url.replace(/\/$/, target));
  assert.equal(await page.url(), url);
  await follows(page, app);
  // Vite's client asks in a worker whether its server is back.
  if (options === undefined) await survivesRestart(page, app, url);
}

async function tokenFor(
  { send }: LoginGateway,
  port: number,
): Promise<string> {
  const wish = { sandbox: "locked", ports: [port], expiresInSec: 60 };
  const answer = await send(BASE, {
    method: "POST",
    path: "/api/v1/tokens",
    headers: {
      authorization: `Bearer ${KEYS.user}`,
      "content-type": "application/json",
    },
    body: JSON.stringify(wish),
  });
  return String(answer.json()["token"]);
}
