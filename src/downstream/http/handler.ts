/** What a listener calls for each request. */

/** A handler for a listener, whose promise never rejects. */
export type Handler = (
  request: Request,
  info: RequestInfo,
) => Response | Promise<Response>;

/** What is known of a request beside it. */
export interface RequestInfo extends Deno.ServeHandlerInfo {
  /** Told the size of each part of the request's body that is read, bytes. */
  readonly onBodyRead?: ((bytes: number) => void) | undefined;
}
