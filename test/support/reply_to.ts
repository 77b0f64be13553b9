/** The client's half of an exchange, for tests of what reads a form. */
import { Reply } from "../../src/downstream/http/reply.ts";
import { exchangeServices } from "./exchange.ts";

/** The reply to a request that has those headers. */
export function replyTo(request: Request, headers = request.headers): Reply {
  return new Reply({
    request,
    headers,
    client: { clientAddress: "192.0.2.1" },
    connection: "192.0.2.1:1",
    socket: undefined,
    isHttp2: false,
    delivered: () => Promise.resolve(),
    onBodyRead: undefined,
  }, exchangeServices().services.clientLeg);
}
