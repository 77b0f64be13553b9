/** A gateway whose members share previews, and what one of them asks of its API. */
import assert from "node:assert/strict";
import { KEYS } from "../../../scripts/stand_in/stack.ts";
import {
  type LoginGateway,
  startLoginGateway,
} from "../../support/login_gateway.ts";
import { recordsFile } from "../../support/records_file.ts";
import type { Answer } from "../../support/send.ts";

/** A share link, as it is told once. */
export interface MadeShare {
  readonly id: string;
  readonly url: string;
  readonly usesLeft: number | null;
}

/** All of that. */
export interface ShareWorld extends AsyncDisposable {
  readonly gateway: LoginGateway;
  /** The URL of that port of the private sandbox, as the browser shows it. */
  preview(port: number, target?: string): string;
  /** Has a port of the private sandbox lead to that of this machine. */
  listen(port: number): void;
  /** Makes a link to a port of this machine, through that sandbox. */
  share(port: number, differences?: object): Promise<MadeShare>;
  /** How often it opens still. */
  usesLeft(share: MadeShare): Promise<number | null>;
  end(share: MadeShare): Promise<void>;
}

/** Starts it. */
export async function startShareWorld(): Promise<ShareWorld> {
  await using started = new AsyncDisposableStack();
  const records = started.use(await recordsFile());
  const gateway = started.use(
    await startLoginGateway({ SHARES: "members", ...records.environment }),
  );
  const { host } = new URL(gateway.at(""));
  async function ask(
    method: string,
    path: string,
    body?: object,
  ): Promise<Answer> {
    return await gateway.send(host, {
      method,
      path: `/api/v1/shares${path}`,
      headers: {
        authorization: `Bearer ${KEYS.user}`,
        ...body && { "content-type": "application/json" },
      },
      body: body && JSON.stringify(body),
    });
  }
  function listen(port: number): void {
    gateway.stack.runner.containers.get("locked")?.ports.set(port, port);
  }
  const owned = started.move();
  return {
    gateway,
    listen,
    preview: (port, target) => gateway.at(`${port}-locked`, target),
    async share(port, differences = {}) {
      listen(port);
      const wish = { sandbox: "locked", port, ...differences };
      const answer = await ask("POST", "", wish);
      assert.equal(answer.status, 201, answer.body);
      return JSON.parse(answer.body);
    },
    async usesLeft({ id }) {
      return JSON.parse((await ask("GET", `/${id}`)).body).usesLeft;
    },
    async end({ id }) {
      assert.equal((await ask("DELETE", `/${id}`)).status, 204);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
