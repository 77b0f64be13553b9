import type { Bytes } from "../../stream/body_reader.ts";
import { UpstreamError } from "../upstream_error.ts";
import type { Connection } from "./connection.ts";

/** A connection after a 101 (RFC 9110 section 7.8), which its holder must close; once it failed, all calls reject. */
export interface UpgradedConnection {
  /** The next bytes, at least one, valid until the next read; null at the end of the stream. One read at a time. */
  read(): Promise<Bytes | null>;
  /** Sends all of `bytes`: nothing follows a write that failed, which would leave a gap in the stream. */
  write(bytes: Uint8Array): Promise<void>;
  /** Closes the connection at once, failing pending reads and writes; a second call does nothing. */
  close(): void;
}

/** Hands a connection over to another protocol after a 101. */
export function upgradedConnection(connection: Connection): UpgradedConnection {
  connection.becomeTunnel();
  const { input } = connection;

  function takeAll(): Bytes {
    const bytes = input.unread;
    input.consume(bytes.length);
    return bytes;
  }

  const onFill = (isOpen: boolean) => isOpen ? takeAll() : null;

  return {
    read() {
      return input.length > 0
        ? Promise.resolve(takeAll())
        : connection.fill().then(onFill);
    },
    write: (bytes) => connection.write(bytes),
    close() {
      const reason = "upgraded connection closed";
      connection.fail(new UpstreamError("closed", reason));
    },
  };
}
