/** The gateway's own TLS in front of a gateway of a test. */
import { listenTls } from "../../src/downstream/tls/listen_tls.ts";
import { ByteBudget } from "../../src/stream/byte_budget.ts";
import { LOCALHOST } from "./certificates.ts";
import type { TestGateway } from "./gateway.ts";

/** Where it listens; disposing of it closes all connections. */
export interface OwnTls extends AsyncDisposable {
  readonly port: number;
  readonly origin: string;
}

export async function startOwnTls(
  { service }: Pick<TestGateway, "service">,
): Promise<OwnTls> {
  const listener = await listenTls(
    service.fetch,
    { hostname: "127.0.0.1", port: 0 },
    {
      certificate: LOCALHOST,
      buffers: new ByteBudget({ limitBytes: 64 * 1024 * 1024 }),
      maxIdleConnections: 1000,
    },
  );
  return {
    port: listener.port,
    origin: `https://127.0.0.1:${listener.port}`,
    [Symbol.asyncDispose]: () => listener.close(),
  };
}
