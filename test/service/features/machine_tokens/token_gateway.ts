/** A gateway whose members may make machine tokens. */
import type { TestGateway } from "../../../support/gateway.ts";
import { askerOf, startRecordsGateway } from "../../../support/records_api.ts";
import type { StartGateway } from "../../../support/worlds.ts";

/** What every gateway of these tests is set to. */
export const MEMBERS = { MACHINE_TOKENS: "members" };

/** A machine token, as it is told once. */
export interface MadeToken {
  readonly id: string;
  readonly token: string;
}

/** Sends what a member asks of `/api/v1/tokens`. */
export const askApi = askerOf("tokens");

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
export function startTokenGateway(
  startGateway: StartGateway,
  environment: Readonly<Record<string, string>> = {},
): Promise<TestGateway> {
  return startRecordsGateway(startGateway, { ...MEMBERS, ...environment });
}
