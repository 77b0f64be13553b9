/** A kind of records at `/api/v1`, and a gateway that has a place for records of its own. */
import type { ServiceOptions } from "../../src/service.ts";
import { type Answer, BASE, type TestGateway } from "./gateway.ts";
import { recordsFile } from "./records_file.ts";
import { NAMED_WORLDS } from "./named_worlds.ts";
import type { StartGateway } from "./worlds.ts";

/** What a member sends to `/api/v1/{kind}`. */
interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
}

/** Sends it, as the member with that key. */
export type AskApi = (
  gateway: Pick<TestGateway, "send">,
  key: string,
  sent?: Sent,
) => Promise<Answer>;

/** What asks the routes of that kind. */
export function askerOf(kind: string): AskApi {
  return async (
    { send },
    key,
    { method = "GET", path = "", headers = {}, body } = {},
  ) =>
    await send(BASE, {
      method,
      path: `/api/v1/${kind}${path}`,
      headers: {
        authorization: `Bearer ${key}`,
        ...body && { "content-type": "application/json" },
        ...headers,
      },
      body: body && JSON.stringify(body),
    });
}

/** Starts one with a place for records of its own. */
export async function startRecordsGateway(
  startGateway: StartGateway,
  environment: Readonly<Record<string, string>>,
  options: Partial<ServiceOptions> = {},
): Promise<TestGateway> {
  await using started = new AsyncDisposableStack();
  const records = started.use(await recordsFile());
  const gateway = started.use(
    await startGateway({ ...records.environment, ...environment }, options),
  );
  const owned = started.move();
  return { ...gateway, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** A gateway of a world, and the key of a member there. */
interface MembersWorld {
  readonly gateway: TestGateway;
  readonly key: string;
}

/** Returns what declares a test for each world, with a gateway that is started so there. */
export function testsOfMembers(
  start: (startGateway: StartGateway) => Promise<TestGateway>,
): (name: string, body: (world: MembersWorld) => Promise<void>) => void {
  return (name, body) => {
    for (const { suffix, startGateway, memberKey: key } of NAMED_WORLDS) {
      Deno.test(name + suffix, async () => {
        await using gateway = await start(startGateway);
        await body({ gateway, key });
      });
    }
  };
}
