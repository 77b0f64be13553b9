import { type ClientRequestArgs, request } from "node:http";
import { connect as connectTcp } from "node:net";
import { text } from "node:stream/consumers";
import { connect as connectTls } from "node:tls";
import { z } from "zod";
import { type Answer, type Failure, failureOf, parseJson } from "./ask.ts";
import { type Finding, findingsOf } from "./finding.ts";
import { originOf, type PublicBase } from "./public_base.ts";
import type { World } from "./world.ts";

const { ok, warning, failed, skipped } = findingsOf("gateway");

/** The body of a gateway's `/health`. */
const health = z.object({ status: z.literal("ok"), version: z.string() });

/** The reply to `GET /health` of whatever answers at a base domain. */
export type HealthReply =
  | Pick<Answer, "answered" | "status" | "json">
  | Failure;

/** Checks that whatever answers at a base domain is a gateway. */
export async function checkFront(
  base: PublicBase,
  address: string | undefined,
  world: World,
): Promise<Finding> {
  return address === undefined
    ? skipped(`${base.domain} has no address to connect to.`)
    : judgeFront(base, await askHealth(base, address, world));
}

/** Judges the reply. */
export function judgeFront(base: PublicBase, reply: HealthReply): Finding {
  const url = `${originOf(base)}/health`;
  if (!reply.answered) {
    return warning(
      `Cannot reach ${url}: ${reply.reason}.`,
      "That is fine before the gateway is started; otherwise check the load balancer, or try from another machine.",
    );
  }
  const parsed = health.safeParse(reply.json);
  if (reply.status === 200 && parsed.success) {
    return ok(`A gateway answers at ${url}, version ${parsed.data.version}.`);
  }
  return failed(
    `Whatever answers at ${url}, with status ${reply.status}, is not a gateway.`,
    "Let the load balancer forward the base domain to the gateway as well, with Host and path unchanged.",
  );
}

/** Sends the request to the address itself, since a base domain may not resolve on this machine. */
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
        // Another check examines the certificate, and nothing secret is sent.
        rejectUnauthorized: false,
        ALPNProtocols: ["http/1.1"],
        ...caCerts === undefined ? {} : { ca: [...caCerts] },
      }),
  };
  request(options, (response) => {
    text(response).then(
      (body) => {
        const { statusCode: status = 0 } = response;
        resolve({ answered: true, status, json: parseJson(body) });
      },
      reject,
    );
  }).on("error", reject).end();
  try {
    return await promise;
  } catch (error) {
    return failureOf(error);
  }
}
