// deno-lint-ignore-file no-console
/**
 * Asks the gateway on this machine whether it lives, where there is no curl: exit code 0 if it does, 1 if not. The
 * gateway's own environment tells where it listens.
 */
import { get as getHttp } from "node:http";
import { get as getHttps } from "node:https";

/** Less than container engines wait for the check, ms. */
const TIMEOUT_MS = 4000;

/** Where a gateway with this environment answers. */
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

/** The status of the answer to `GET /health`; rejects where there is none. */
async function askHealth(
  { port, isTls }: ReturnType<typeof healthTarget>,
): Promise<number | undefined> {
  const options = {
    host: "127.0.0.1",
    port,
    path: "/health",
    agent: false,
    signal: AbortSignal.timeout(TIMEOUT_MS),
  };
  const { promise, resolve, reject } = Promise.withResolvers<
    number | undefined
  >();
  // The certificate is for other names than this address, and nothing secret travels.
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
  try {
    const status = await askHealth(healthTarget({
      PROXY_PORT: Deno.env.get("PROXY_PORT"),
      ENABLE_TLS: Deno.env.get("ENABLE_TLS"),
    }));
    console.log(`GET /health: ${status}`);
    Deno.exitCode = status === 200 ? 0 : 1;
  } catch (error) {
    console.log(
      `GET /health: ${error instanceof Error ? error.message : error}`,
    );
    Deno.exitCode = 1;
  }
}
