/**
 * A fake of the daemon on port 2280 of a sandbox, with the endpoints that Daytona's SDK calls. Like the real one, it
 * does not authenticate its callers; it never touches this machine: files are in memory, and no process is started.
 */
import { resolve } from "node:path/posix";
import {
  badRequest,
  type DaemonError,
  type Endpoints,
  errorBody,
  notFound,
  serveEndpoints,
} from "./daemon_http.ts";
import { processEndpoints } from "./daemon_process.ts";
import { ptyEndpoints } from "./daemon_pty.ts";
import { type Files, HOME } from "./daemon_shell.ts";
import type { Loopback } from "./loopback.ts";

/** The daemon's port in a sandbox. */
export const TOOLBOX_PORT = 2280;

/** A running fake daemon. */
export interface FakeDaemon extends Loopback {
  /** The files in the sandbox. */
  readonly files: Files;
}

/** Ports that the daemon watches; the real one previews others too, but does not say whether they are in use. */
const FIRST_WATCHED_PORT = 3000;
const LAST_WATCHED_PORT = 9999;

/** Starts a daemon on a free port; `localPort` is the port of this machine that stands for one of the sandbox. */
export async function startFakeDaemon(
  localPort: (port: number) => number = (port) => port,
): Promise<FakeDaemon> {
  const files: Files = new Map();
  const processes = processEndpoints(files);
  const ptys = ptyEndpoints(files);
  const loopback = await serveEndpoints({
    routes: {
      "GET /version": () => Response.json({ version: "0.0.0-stack" }),
      async "GET /port/{port}/in-use"({ params }) {
        const port = Number(params.port);
        return port >= FIRST_WATCHED_PORT && port <= LAST_WATCHED_PORT
          ? Response.json({ isInUse: await isInUse(localPort(port)) })
          : badRequest("port out of range: must be between 3000 and 9999");
      },
      "GET /user-home-dir": () => Response.json({ dir: HOME }),
      "GET /work-dir": () => Response.json({ dir: HOME }),
      ...fileRoutes(files),
      ...processes.routes,
      ...ptys.routes,
    },
    sockets: { ...processes.sockets, ...ptys.sockets },
  });
  return Object.assign(loopback, { files });
}

/** True if something listens on a port of this machine. */
async function isInUse(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch {
    return false;
  }
}

/** The endpoints for files. */
function fileRoutes(files: Files): Endpoints["routes"] {
  return {
    "GET /files"({ search }) {
      const folder = resolve(HOME, search.get("path") ?? "");
      return Response.json(entriesOf(files, folder));
    },

    "GET /files/download"({ search }) {
      const path = search.get("path") ?? "";
      const bytes = files.get(resolve(HOME, path));
      return bytes === undefined ? noFile(path) : new Response(bytes, {
        headers: { "content-type": "application/octet-stream" },
      });
    },

    /** A multipart form with a part for each file, named `error` if there is no such file. */
    async "POST /files/bulk-download"({ request }) {
      const { paths }: { paths: readonly string[] } = await request.json();
      const form = new FormData();
      for (const path of paths) {
        const bytes = files.get(resolve(HOME, path));
        if (bytes === undefined) {
          const error = noFile(path);
          const json = JSON.stringify(errorBody(error, request));
          form.append("error", blob(json, "application/json"), path);
        } else {
          form.append("file", blob(bytes, "application/octet-stream"), path);
        }
      }
      return new Response(form);
    },

    /** The field `file`, for the path in the query. */
    async "POST /files/upload-v2"({ request, search }) {
      const file = (await request.formData()).get("file");
      if (!(file instanceof File)) return badRequest("file is missing");
      const path = resolve(HOME, search.get("path") ?? "");
      files.set(path, new Uint8Array(await file.arrayBuffer()));
      return new Response();
    },

    /** Fields `files[0].path`, `files[0].file`, `files[1].path`, ... */
    async "POST /files/bulk-upload"({ request }) {
      const form = await request.formData();
      for (let i = 0; form.has(`files[${i}].path`); i++) {
        const file = form.get(`files[${i}].file`);
        if (!(file instanceof File)) {
          return badRequest(`files[${i}].file is missing`);
        }
        const path = resolve(HOME, String(form.get(`files[${i}].path`)));
        files.set(path, new Uint8Array(await file.arrayBuffer()));
      }
      return new Response();
    },
  };
}

function blob(
  content: string | Uint8Array<ArrayBuffer>,
  type: string,
): Blob {
  return new Blob([content], { type });
}

function noFile(path: string): DaemonError {
  return notFound(`file not found: ${path}`, "FILE_NOT_FOUND");
}

function entriesOf(files: Files, folder: string): unknown[] {
  const prefix = folder.replace(/\/*$/, "/");
  const entries = new Map<string, unknown>();
  for (const [path, { length }] of files) {
    if (!path.startsWith(prefix)) continue;
    const [child = "", ...deeper] = path.slice(prefix.length).split("/");
    const isDir = deeper.length > 0;
    entries.set(child, {
      name: child,
      path: prefix + child,
      isDir,
      size: isDir ? 0 : length,
      mode: isDir ? "drwxr-xr-x" : "-rw-r--r--",
      permissions: isDir ? "0755" : "0644",
      owner: "daytona",
      group: "daytona",
      modTime: "2026-01-01T00:00:00Z",
      modifiedAt: "2026-01-01T00:00:00Z",
    });
  }
  return [...entries.values()];
}
