/** A place for records, for as long as a test runs. */

/** A database in a folder of its own, and the setting by which a gateway keeps records there. */
export interface RecordsFile extends AsyncDisposable {
  readonly environment: { readonly RECORDS_URL: string };
}

/** Makes one; it has to outlive the gateways that use it. */
export async function recordsFile(): Promise<RecordsFile> {
  await Deno.mkdir("./data/test", { recursive: true });
  const folder = await Deno.makeTempDir({ dir: "./data/test" });
  return {
    environment: { RECORDS_URL: `kv:${folder}/records.db` },
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}
