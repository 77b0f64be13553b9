import { UpstreamError } from "../upstream_error.ts";
import type { Connection } from "./connection.ts";

/** A connection after a 101 (RFC 9110 section 7.8), which its holder must close. */
export interface UpgradedConnection {
  /**
   * The next bytes, at least one, starting with those that arrived right after the head; null at the end of the stream.
   * The next read overwrites them. One read at a time.
   *
   * @throws {UpstreamError} If the connection failed.
   */
  read(): Promise<Uint8Array<ArrayBuffer> | null>;
  /**
   * Sends all of `bytes`, as {@linkcode Connection.write} does: nothing follows a write that failed, which would leave a
   * gap in the stream.
   *
   * @throws {UpstreamError} If the connection failed.
   */
  write(bytes: Uint8Array): Promise<void>;
  /** Closes the connection at once, failing pending reads and writes; a second call does nothing. */
  close(): void;
}

/** Hands a connection over to another protocol after a 101. */
export function upgradedConnection(connection: Connection): UpgradedConnection {
  connection.becomeTunnel();
  const { input } = connection;

  function takeAll(): Uint8Array<ArrayBuffer> {
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
      connection.fail(
        new UpstreamError("closed", "upgraded connection closed"),
      );
    },
  };
}
