/** A gateway whose members may make embeds. */
import {
  type Answer,
  BASE,
  type TestGateway,
} from "../../../support/gateway.ts";
import { recordsFile } from "../../../support/records_file.ts";
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

/** What a member sends to `/api/v1/embeds`. */
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
    path: `/api/v1/embeds${path}`,
    headers: {
      authorization: `Bearer ${key}`,
      ...body && { "content-type": "application/json" },
      ...headers,
    },
    body: body && JSON.stringify(body),
  });
}

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

/** The headers of a page in the frame that a link makes, with its session. */
export async function frameOf(
  gateway: Pick<TestGateway, "send">,
  url: string,
): Promise<Record<"cookie" | "sec-fetch-site", string>> {
  const { status, headers, body } = await exchange(gateway, url);
  if (status !== 200) throw new Error(body);
  const [cookie = ""] = (headers.get("set-cookie") ?? "").split(";");
  return { ...OWN_PAGE, cookie };
}

/** Starts one with a place for records of its own. */
export async function startEmbedGateway(
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
