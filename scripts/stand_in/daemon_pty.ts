/** Terminals in a fake sandbox: a WebSocket carries input and output, HTTP requests resize and end them. */
import { type DaemonError, type Endpoints, notFound } from "./daemon_http.ts";
import {
  createShell,
  type Files,
  HOME,
  LineQueue,
  runCommandLine,
  type TerminalSize,
} from "./daemon_shell.ts";
import type { ServerSocket } from "./server_socket.ts";

/** The subprotocol that requests a message with the exit code before the close frame. */
const EXIT_CONTROL = "X-Daytona-Pty-Exit-Control";

/** The exit code of a shell that was killed by SIGKILL. */
const KILLED = 137;

/** The endpoints for terminals. */
export function ptyEndpoints(files: Files): Endpoints {
  const ptys = new Map<string, Pty>();

  const routes: Endpoints["routes"] = {
    "GET /process/pty"() {
      return Response.json({
        sessions: [...ptys.values()].map((pty) => pty.info()),
      });
    },

    "GET /process/pty/{id}"({ params: { id = "" } }) {
      const pty = ptys.get(id);
      return pty === undefined ? noPty(id) : Response.json(pty.info());
    },

    async "POST /process/pty/{id}/resize"({ request, params: { id = "" } }) {
      const pty = ptys.get(id);
      if (pty === undefined) return noPty(id);
      pty.size = await request.json();
      return Response.json(pty.info());
    },

    "DELETE /process/pty/{id}"({ params: { id = "" } }) {
      const pty = ptys.get(id);
      if (pty === undefined) return noPty(id);
      pty.end(KILLED);
      ptys.delete(id);
      return Response.json({ message: "PTY session deleted" });
    },
  };

  const sockets: Endpoints["sockets"] = {
    "/process/pty/create-connect"(socket, { search }) {
      const id = search.get("id") ?? "";
      if (ptys.has(id)) {
        return refuse(socket, `PTY session ${id} already exists`);
      }
      const pty = new Pty(id, files, {
        cols: Number(search.get("cols") ?? 80),
        rows: Number(search.get("rows") ?? 24),
      });
      ptys.set(id, pty);
      pty.attach(socket);
      pty.run().then(() => ptys.delete(id));
    },

    "/process/pty/{id}/connect"(socket, { params: { id = "" } }) {
      const pty = ptys.get(id);
      if (pty === undefined) refuse(socket, `PTY session ${id} not found`);
      else pty.attach(socket);
    },
  };
  return { routes, sockets };
}

function refuse(socket: ServerSocket, error: string): void {
  socket.send(JSON.stringify({ type: "control", status: "error", error }));
  socket.close(1008, JSON.stringify({ error }));
}

/** A terminal with a shell in it. */
class Pty {
  size: TerminalSize;
  readonly #id: string;
  readonly #files: Files;
  readonly #attached = new Set<ServerSocket>();
  readonly #input = new LineQueue();
  readonly #decoder = new TextDecoder();
  /** The line that is being typed. */
  #typed = "";

  constructor(id: string, files: Files, size: TerminalSize) {
    this.#id = id;
    this.#files = files;
    this.size = size;
  }

  attach(socket: ServerSocket): void {
    this.#attached.add(socket);
    socket.on("message", (data) => this.#type(data));
    socket.on("close", () => this.#attached.delete(socket));
    socket.send(JSON.stringify({ type: "control", status: "connected" }));
  }

  /** Runs lines until one of them is `exit`. */
  async run(): Promise<void> {
    const shell = createShell({
      files: this.#files,
      readLine: () => this.#input.next(),
      write: (_, text) => this.#show(text),
      terminalSize: () => this.size,
    });
    let outcome;
    do {
      this.#show("$ ");
      outcome = await runCommandLine(await this.#input.next(), shell);
    } while (!outcome.exited);
    this.end(outcome.exitCode);
  }

  /** Notifies all attached clients of the end. */
  end(exitCode: number): void {
    for (const socket of this.#attached) {
      if (socket.protocol === EXIT_CONTROL) {
        socket.send(
          JSON.stringify({ type: "control", status: "exited", exitCode }),
        );
      }
      socket.close(1000, JSON.stringify({ exitCode }));
    }
  }

  info(): Record<string, unknown> {
    return {
      id: this.#id,
      ...this.size,
      active: true,
      cwd: HOME,
      envs: {},
      createdAt: "2026-01-01T00:00:00Z",
      lazyStart: false,
    };
  }

  /** Takes typed input, echoes it, and passes it on line by line. */
  #type(data: Uint8Array): void {
    const text = this.#decoder.decode(data, { stream: true })
      .replaceAll("\r", "\n");
    this.#show(text);
    const lines = (this.#typed + text).split("\n");
    this.#typed = lines.pop() ?? "";
    for (const line of lines) this.#input.push(line);
  }

  #show(text: string): void {
    // A terminal needs CR LF to go to the start of the next line.
    const bytes = new TextEncoder().encode(text.replaceAll("\n", "\r\n"));
    for (const socket of this.#attached) socket.send(bytes);
  }
}

function noPty(id: string): DaemonError {
  return notFound(`PTY session ${id} not found`, "PROCESS_NOT_FOUND");
}
