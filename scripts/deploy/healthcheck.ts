// deno-lint-ignore-file no-console
/**
 * A health check for images without curl: exits with 0 if the gateway on this machine answers `GET /health`, or the path
 * that is its argument, with 200; with 1 otherwise. The gateway's own environment says where it listens.
 */
import { get as getHttp } from "node:http";
import { get as getHttps } from "node:https";

/** Less than the timeout of the container engine, ms. */
const TIMEOUT_MS = 4000;

/** Where a gateway with this environment listens. */
export function healthTarget(
  env: {
    readonly PROXY_PORT?: string | undefined;
    readonly ENABLE_TLS?: string | undefined;
  },
): { readonly port: number; readonly isTls: boolean } {
  return {
    port: Number(env.PROXY_PORT?.trim() || "4000"),
    isTls: env.ENABLE_TLS?.trim() === "true",
  };
}

/** The status of the response to a GET of the path; rejects if there is none. */
async function statusOf(
  path: string,
  { port, isTls }: ReturnType<typeof healthTarget>,
): Promise<number | undefined> {
  const options = {
    host: "127.0.0.1",
    port,
    path,
    agent: false,
    signal: AbortSignal.timeout(TIMEOUT_MS),
  };
  const { promise, resolve, reject } = Promise.withResolvers<
    number | undefined
  >();
  // The certificate is not for this address, and nothing secret is sent.
  const request = isTls
    ? getHttps({ ...options, rejectUnauthorized: false })
    : getHttp(options);
  request.on("error", reject).on("response", (response) => {
    response.resume();
    resolve(response.statusCode);
  });
  return await promise;
}

if (import.meta.main) {
  const [path = "/health"] = Deno.args;
  try {
    const status = await statusOf(
      path,
      healthTarget({
        PROXY_PORT: Deno.env.get("PROXY_PORT"),
        ENABLE_TLS: Deno.env.get("ENABLE_TLS"),
      }),
    );
    console.log(`GET ${path}: ${status}`);
    Deno.exitCode = status === 200 ? 0 : 1;
  } catch (error) {
    console.log(
      `GET ${path}: ${error instanceof Error ? error.message : error}`,
    );
    Deno.exitCode = 1;
  }
}
