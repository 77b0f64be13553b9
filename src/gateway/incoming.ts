/** A request whose head has been parsed. */
import type { ClientInfo } from "../downstream/http/forwarded.ts";
import type { RequestHeaders } from "../http/headers.ts";

/** What an exchange begins with. */
export interface IncomingRequest {
  readonly id: string;
  /** The Request itself, for its body and signal. */
  readonly request: Request;
  readonly method: string;
  readonly headers: RequestHeaders;
  /** `host[:port]` as received. */
  readonly authority: string;
  /** The request-target, byte for byte. */
  readonly target: string;
  readonly client: ClientInfo;
  /** The other end of the connection, `address:port`. */
  readonly connection: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** Settles once the front keeps nothing of the response any more: the client has taken it, or left. */
  readonly taken: () => Promise<void>;
  /** Told the size of each part of the body that is read, bytes. */
  readonly onBodyRead: ((bytes: number) => void) | undefined;
}
