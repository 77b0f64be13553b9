/** A gateway whose members may make share links. */
import type { Answer } from "../../../support/gateway.ts";
import { BASE, type TestGateway } from "../../../support/gateway.ts";
import { askerOf, startRecordsGateway } from "../../../support/records_api.ts";
import type { StartGateway } from "../../../support/worlds.ts";

/** What every gateway of these tests is set to. */
export const MEMBERS = { SHARES: "members" };

/** What a browser sends to open a page. */
export const NAVIGATION = { accept: "text/html", "sec-fetch-mode": "navigate" };

/** What the page's own script sends. */
export const OWN_PAGE = {
  "content-type": "application/json",
  "origin": `http://${BASE}`,
  "sec-fetch-site": "same-origin",
  "sec-fetch-mode": "cors",
};

type Sender = Pick<TestGateway, "send">;

/** A share, as it is told once. */
export interface MadeShare {
  readonly id: string;
  readonly secret: string;
}

/** Sends what a member asks of `/api/v1/shares`. */
export const askApi = askerOf("shares");

/** Has a member share port 3000 of `locked`. */
export async function makeShare(
  gateway: Sender,
  key: string,
  differences: object = {},
): Promise<MadeShare> {
  const body = { sandbox: "locked", port: 3000, ...differences };
  const answer = await askApi(gateway, key, { method: "POST", body });
  if (answer.status !== 201) throw new Error(answer.body);
  const { id, url } = answer.json();
  return { id: String(id), secret: new URL(String(url)).hash.slice(1) };
}

/** What comes of a press of the button on its page. */
export async function press(
  { send }: Sender,
  { id, secret }: MadeShare,
  { passcode, headers }: {
    readonly passcode?: string;
    readonly headers?: Readonly<Record<string, string>>;
  } = {},
): Promise<Answer> {
  return await send(BASE, {
    method: "POST",
    path: `/s/${id}`,
    headers: { ...OWN_PAGE, ...headers },
    body: JSON.stringify({ secret, passcode }),
  });
}

/** Goes where an answer leads, as a browser does. */
export async function follow(
  { send }: Sender,
  answer: Answer,
): Promise<Answer> {
  const { host, pathname, search } = new URL(String(answer.json().location));
  return await send(host, { path: pathname + search, headers: NAVIGATION });
}

/** The cookie of the preview host, as somebody has it who has opened a share. */
export async function openedBy(
  gateway: Sender,
  share: MadeShare,
): Promise<string> {
  const arrived = await follow(gateway, await press(gateway, share));
  if (arrived.status !== 303) throw new Error(arrived.body);
  return arrived.headers.get("set-cookie")?.split(";")[0] ?? "";
}

/** Starts one with a place for records of its own. */
export function startShareGateway(
  startGateway: StartGateway,
  environment: Readonly<Record<string, string>> = {},
): Promise<TestGateway> {
  return startRecordsGateway(startGateway, { ...MEMBERS, ...environment });
}
