import type { BodyDecoder } from "./body_decoder.ts";
import type { Connection } from "./connection.ts";
import { UpstreamError } from "./errors.ts";
import type { ResponseBody } from "./types.ts";

/**
 * A response's body: bytes where all of it is there already, otherwise a stream that reads from the connection
 * only when it is read itself, and passes on what has arrived without waiting for more. `onEnd` is called once
 * the body was received whole; whatever goes wrong before fails both connection and stream.
 */
export function receiveBody(
  connection: Connection,
  decoder: BodyDecoder,
  onEnd: () => void,
): ResponseBody {
  let content = takeContent(connection, decoder);
  if (decoder.done) {
    onEnd();
    return content;
  }

  async function pull(
    controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>,
  ): Promise<void> {
    let open = true;
    while (content.length === 0 && !decoder.done && open) {
      open = await connection.fill();
      content = takeContent(connection, decoder);
    }
    if (!open && !decoder.endsAtClose) {
      throw new UpstreamError("connection_lost", "response body cut off");
    }
    if (content.length > 0) controller.enqueue(content);
    content = NOTHING;
    if (decoder.done || !open) {
      onEnd();
      controller.close();
    }
  }

  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      try {
        await pull(controller);
      } catch (error) {
        connection.fail(error);
        throw error;
      }
    },
    cancel() {
      connection.fail(new UpstreamError("aborted", "response body cancelled"));
    },
  }, { highWaterMark: 0 });
}

const NOTHING = new Uint8Array(0);

/** The content among the unread octets, which are consumed, in memory of its own: the connection overwrites its buffer. */
function takeContent(
  connection: Connection,
  decoder: BodyDecoder,
): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  connection.consume(decoder.decode(connection.unread, parts));
  const [first, second] = parts;
  if (first === undefined) return NOTHING;
  return second === undefined ? connection.keep(first) : concat(parts);
}

function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(
    parts.reduce((length, part) => length + part.length, 0),
  );
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
