/** A gateway whose members may make machine tokens. */
import {
  type Answer,
  BASE,
  type TestGateway,
} from "../../../support/gateway.ts";
import { recordsFile } from "../../../support/records_file.ts";
import type { StartGateway } from "../../../support/worlds.ts";

/** What every gateway of these tests is set to. */
export const MEMBERS = { MACHINE_TOKENS: "members" };

/** A machine token, as it is told once. */
export interface MadeToken {
  readonly id: string;
  readonly token: string;
}

/** What a member sends to `/api/v1/tokens`. */
interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
}

/** Sends it, as the member with that key. */
export async function askApi(
  { send }: Pick<TestGateway, "send">,
  key: string,
  { method = "GET", path = "", headers = {}, body }: Sent = {},
): Promise<Answer> {
  return await send(BASE, {
    method,
    path: `/api/v1/tokens${path}`,
    headers: {
      authorization: `Bearer ${key}`,
      ...body && { "content-type": "application/json" },
      ...headers,
    },
    body: body && JSON.stringify(body),
  });
}

/** Has a member make a token for port 3000 of `locked`. */
export async function makeToken(
  gateway: Pick<TestGateway, "send">,
  key: string,
  differences: object = {},
): Promise<MadeToken> {
  const answer = await askApi(gateway, key, {
    method: "POST",
    body: {
      sandbox: "locked",
      ports: [3000],
      expiresInSec: 3600,
      ...differences,
    },
  });
  if (answer.status !== 201) throw new Error(answer.body);
  const { id, token } = answer.json();
  return { id: String(id), token: String(token) };
}

/** Starts one with a place for records of its own. */
export async function startTokenGateway(
  startGateway: StartGateway,
  environment: Readonly<Record<string, string>> = {},
): Promise<TestGateway> {
  await using started = new AsyncDisposableStack();
  const records = started.use(await recordsFile());
  const gateway = started.use(
    await startGateway({ ...MEMBERS, ...records.environment, ...environment }),
  );
  const owned = started.move();
  return { ...gateway, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
