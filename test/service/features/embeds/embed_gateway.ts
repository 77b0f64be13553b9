/** A gateway whose members may make embeds. */
import type { Answer, TestGateway } from "../../../support/gateway.ts";
import { askerOf, startRecordsGateway } from "../../../support/records_api.ts";
import type { StartGateway } from "../../../support/worlds.ts";

/** What every gateway of these tests is set to. */
export const MEMBERS = { EMBEDS: "members" };

/** The page that may frame the preview. */
export const BUILDER = "https://builder.example";

/** What a page of the preview's own host sends. */
export const OWN_PAGE = { "sec-fetch-site": "same-origin" };

/** An embed, as it is told once. */
export interface MadeEmbed {
  readonly id: string;
  readonly url: string;
  readonly stateUrl: string;
  readonly stateToken: string;
  readonly expiresAt: string;
}

/** Sends what a member asks of `/api/v1/embeds`. */
export const askApi = askerOf("embeds");

/** What a member asks for: ten minutes of port 3000 of `locked`, with these differences. */
export function wish(differences: object = {}): object {
  return {
    sandbox: "locked",
    port: 3000,
    ancestors: [BUILDER],
    ttlSec: 600,
    ...differences,
  };
}

/** Has a member make an embed. */
export async function makeEmbed(
  gateway: Pick<TestGateway, "send">,
  key: string,
  differences: object = {},
): Promise<MadeEmbed> {
  const body = wish(differences);
  const answer = await askApi(gateway, key, { method: "POST", body });
  if (answer.status !== 201) throw new Error(answer.body);
  return JSON.parse(answer.body);
}

/** Has a member renew one. */
export async function renewEmbed(
  gateway: Pick<TestGateway, "send">,
  key: string,
  { id }: Pick<MadeEmbed, "id">,
): Promise<Pick<MadeEmbed, "url" | "expiresAt" | "stateToken">> {
  const path = `/${id}/renew`;
  const answer = await askApi(gateway, key, { method: "POST", path, body: {} });
  if (answer.status !== 200) throw new Error(answer.body);
  return JSON.parse(answer.body);
}

/** Exchanges the code of a link as its page does, in a frame of the builder's. */
export async function exchange(
  { send }: Pick<TestGateway, "send">,
  url: string,
  { host = new URL(url).host, headers = {} }: {
    readonly host?: string;
    readonly headers?: Readonly<Record<string, string>>;
  } = {},
): Promise<Answer> {
  return await send(host, {
    method: "POST",
    path: "/.porthole/embed",
    headers: {
      ...OWN_PAGE,
      "x-porthole-ancestor": BUILDER,
      "x-porthole-embed": new URL(url).hash.slice(1),
      ...headers,
    },
  });
}

/** The headers of a page in the frame that a link makes, with its session, for a browser that has sent those before. */
export async function frameOf(
  gateway: Pick<TestGateway, "send">,
  url: string,
  sent: Readonly<Record<string, string>> = {},
): Promise<Record<"cookie" | "sec-fetch-site", string>> {
  const options = { headers: sent };
  const { status, headers, body } = await exchange(gateway, url, options);
  if (status !== 200) throw new Error(body);
  const [cookie = ""] = (headers.get("set-cookie") ?? "").split(";");
  return { ...OWN_PAGE, cookie };
}

/** Starts one with a place for records of its own. */
export function startEmbedGateway(
  startGateway: StartGateway,
  environment: Readonly<Record<string, string>> = {},
): Promise<TestGateway> {
  return startRecordsGateway(startGateway, { ...MEMBERS, ...environment });
}
