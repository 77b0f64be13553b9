import { type ClientRequestArgs, request } from "node:http";
import { connect as connectTcp } from "node:net";
import { text } from "node:stream/consumers";
import { connect as connectTls } from "node:tls";
import { z } from "zod";
import { parseJson, type Silence, silenceOf } from "./ask.ts";
import { type Finding, findingsOf } from "./finding.ts";
import { originOf, type PublicBase } from "./public_base.ts";
import type { World } from "./world.ts";

const { ok, warning, failed, skipped } = findingsOf("gateway");

/** What `/health` of a gateway says. */
const health = z.object({ status: z.literal("ok"), version: z.string() });

/** What whoever is there answers to `GET /health`. */
export type HealthReply =
  | {
    readonly answered: true;
    readonly status: number | undefined;
    readonly body: string;
  }
  | Silence;

/** Asks whoever answers at a base domain whether it is a gateway. */
export async function checkFront(
  base: PublicBase,
  address: string | undefined,
  world: World,
): Promise<Finding> {
  return address === undefined
    ? skipped(`Without an address of ${base.domain} there is nobody to ask.`)
    : judgeFront(base, await askHealth(base, address, world));
}

/** What the reply means. */
export function judgeFront(base: PublicBase, reply: HealthReply): Finding {
  const url = `${originOf(base)}/health`;
  if (!reply.answered) {
    return warning(
      `${url} is not reached: ${reply.reason}.`,
      "Right before the gateway is started; otherwise check the load balancer, or ask from another machine.",
    );
  }
  const parsed = health.safeParse(parseJson(reply.body));
  if (reply.status === 200 && parsed.success) {
    return ok(`A gateway answers at ${url}, version ${parsed.data.version}.`);
  }
  return failed(
    `What answers at ${url}, with status ${reply.status}, is no gateway.`,
    "Let the load balancer pass the base domain on to the gateway as well, with Host and path unchanged.",
  );
}

/** Asks at the address itself: not every name of a base resolves on the machine where this runs. */
async function askHealth(
  { protocol, domain, port, ...base }: PublicBase,
  address: string,
  { deadline, caCerts }: World,
): Promise<HealthReply> {
  const { promise, resolve, reject } = Promise.withResolvers<HealthReply>();
  const options: ClientRequestArgs = {
    path: "/health",
    headers: {
      host: new URL(originOf({ protocol, domain, port, ...base })).host,
      connection: "close",
    },
    signal: deadline(),
    createConnection: () =>
      protocol === "http" ? connectTcp({ host: address, port }) : connectTls({
        host: address,
        port,
        servername: domain,
        // Another check looks at the certificate, and nothing secret travels.
        rejectUnauthorized: false,
        ALPNProtocols: ["http/1.1"],
        ...caCerts === undefined ? {} : { ca: [...caCerts] },
      }),
  };
  request(options, (response) => {
    text(response).then(
      (body) => resolve({ answered: true, status: response.statusCode, body }),
      reject,
    );
  }).on("error", reject).end();
  try {
    return await promise;
  } catch (error) {
    return silenceOf(error);
  }
}
