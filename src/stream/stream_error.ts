/** Why a stream ended that neither leg has broken; `source_failed` means that its bytes will not come. */
export type StreamErrorCode =
  | "aborted" // who would have taken the rest has left, or wants no more
  | "source_failed"; // the source broke, or is not as long as it was declared to be

/** The end of a stream by those at its ends: mostly, the client has left. `message` and `cause` are for logs only. */
export class StreamError extends Error {
  override readonly name = "StreamError";
  readonly code: StreamErrorCode;

  constructor(code: StreamErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
