/** A fake sandbox's file system, in memory, and the endpoints that read and write it. */
import { basename, resolve } from "node:path/posix";
import {
  type DaemonError,
  ERROR_SOURCE,
  errorResponse,
  type Routes,
} from "./daemon_routes.ts";

/** The base of relative paths. */
export const HOME = "/home/daytona";

/** Contents by absolute path; a folder exists as long as it is not empty. */
export type Files = Map<string, Uint8Array<ArrayBuffer>>;

/** The endpoints for files. */
export function fileRoutes(files: Files): Routes {
  return {
    "GET /files"({ search }) {
      const folder = resolve(HOME, search.get("path") ?? "");
      return Response.json(entriesOf(files, folder));
    },

    "GET /files/download"({ search }) {
      const path = search.get("path") ?? "";
      const bytes = files.get(resolve(HOME, path));
      return bytes === undefined
        ? errorResponse(notFound(path))
        : new Response(bytes, {
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
          const error = { ...notFound(path), source: ERROR_SOURCE };
          form.append(
            "error",
            blob(JSON.stringify(error), "application/json"),
            path,
          );
        } else {
          form.append("file", blob(bytes, "application/octet-stream"), path);
        }
      }
      return new Response(form);
    },

    /** Fields `files[0].path`, `files[0].file`, `files[1].path`, ... */
    async "POST /files/bulk-upload"({ request }) {
      const form = await request.formData();
      for (let i = 0; form.has(`files[${i}].path`); i++) {
        const file = form.get(`files[${i}].file`);
        if (!(file instanceof File)) {
          return errorResponse({
            statusCode: 400,
            code: "BAD_REQUEST",
            message: `files[${i}].file is missing`,
          });
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

function notFound(path: string): DaemonError {
  return {
    statusCode: 404,
    code: "FILE_NOT_FOUND",
    message: `file not found: ${path}`,
  };
}

/** An entry of a directory listing. */
interface FileInfo {
  readonly name: string;
  readonly path: string;
  readonly isDir: boolean;
  readonly size: number;
  readonly mode: string;
  readonly permissions: string;
  readonly owner: string;
  readonly group: string;
  readonly modTime: string;
  readonly modifiedAt: string;
}

function entriesOf(files: Files, folder: string): FileInfo[] {
  const prefix = folder.replace(/\/*$/, "/");
  const entries = new Map<string, FileInfo>();
  for (const [path, { length }] of files) {
    if (!path.startsWith(prefix)) continue;
    const [child = "", ...deeper] = path.slice(prefix.length).split("/");
    const isDir = deeper.length > 0;
    entries.set(child, fileInfo(prefix + child, { isDir, size: length }));
  }
  return [...entries.values()];
}

function fileInfo(
  path: string,
  { isDir, size }: Pick<FileInfo, "isDir" | "size">,
): FileInfo {
  return {
    name: basename(path),
    path,
    isDir,
    size: isDir ? 0 : size,
    mode: isDir ? "drwxr-xr-x" : "-rw-r--r--",
    permissions: isDir ? "0755" : "0644",
    owner: "daytona",
    group: "daytona",
    modTime: "2026-01-01T00:00:00Z",
    modifiedAt: "2026-01-01T00:00:00Z",
  };
}
