import type { BodyDecoder } from "./body_decoder.ts";
import type { Connection } from "./connection.ts";
import { UpstreamError } from "./errors.ts";
import type { ResponseBody } from "./types.ts";

/**
 * A response's body: bytes if all of it has arrived, otherwise a stream that reads from the connection only when it is
 * itself read, and passes on whatever has arrived without waiting for more. `onEnd` is called once the body is
 * complete; a failure before that fails both the connection and the stream.
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
      throw new UpstreamError("connection_lost", "response body truncated");
    }
    if (content.length > 0) controller.enqueue(content);
    content = EMPTY;
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

const EMPTY = new Uint8Array(0);

/** Consumes the unread octets and returns their content, in memory of its own: the connection reuses its buffer. */
function takeContent(
  connection: Connection,
  decoder: BodyDecoder,
): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  connection.input.consume(decoder.decode(connection.input.unread, parts));
  const [first, second] = parts;
  if (first === undefined) return EMPTY;
  return second === undefined ? connection.input.detach(first) : concat(parts);
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
