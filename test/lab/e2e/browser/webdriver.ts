/** A client of WebDriver (W3C), as far as scenarios need it. */

/** The name that the protocol gives to a reference to an element. */
const ELEMENT = "element-6066-11e4-a52e-4f735466cecf";

/** Longer than a command takes whose page never loads, ms. */
const COMMAND_MS = 20_000;

/** A session: one window manager's view of one browser, whose commands run one after the other. */
export interface WebDriver {
  /**
   * Sends a command of the session, such as `POST url`.
   *
   * @throws {Error} with the driver's message.
   */
  command(
    method: "GET" | "POST" | "DELETE",
    path: string,
    parameters?: object,
  ): Promise<unknown>;
  /**
   * The value of an expression in the current document; of a promise, its outcome.
   *
   * @throws {Error} if it throws.
   */
  evaluate(expression: string): Promise<unknown>;
  /** The ID of the element that an expression is. */
  element(expression: string): Promise<string>;
}

/** Starts a session with a driver on a port of 127.0.0.1. */
export async function startSession(
  port: number,
  capabilities: object,
): Promise<WebDriver> {
  const base = `http://127.0.0.1:${port}/session`;
  const { sessionId } = await send("POST", base, {
    capabilities: { alwaysMatch: capabilities },
  }) as { sessionId: string };
  const command: WebDriver["command"] = (method, path, parameters) =>
    send(method, `${base}/${sessionId}/${path}`, parameters);
  return {
    command,
    async evaluate(expression) {
      // An error's message would come without its name.
      const script = `const done = arguments[0];
        (async () => (${expression}))().then(
          (value) => done({ value }),
          (error) => done({ error: String(error) }),
        );`;
      const { value, error } = await command("POST", "execute/async", {
        script,
        args: [],
      }) as { value?: unknown; error?: string };
      if (error !== undefined) throw new Error(error);
      return value;
    },
    async element(expression) {
      const found = await command("POST", "execute/sync", {
        script: `return ${expression}`,
        args: [],
      }) as Record<string, string> | null;
      const id = found?.[ELEMENT];
      if (id === undefined) throw new Error(`No element: ${expression}`);
      return id;
    },
  };
}

async function send(
  method: string,
  url: string,
  parameters: object = {},
): Promise<unknown> {
  const response = await fetch(url, {
    method,
    signal: AbortSignal.timeout(COMMAND_MS),
    headers: { "content-type": "application/json" },
    ...(method === "POST" ? { body: JSON.stringify(parameters) } : {}),
  });
  const { value } = await response.json();
  if (!response.ok) throw new Error(`${value.error}: ${value.message}`);
  return value;
}
