/** The entry point for tests in front of the hosted stand-in, whose names are in no DNS; otherwise that of a platform. */
import { dialHosted } from "../../scripts/stand_in/hosted_dial.ts";
import { start } from "../../src/server/start_process.ts";
import { SECTIONS } from "../../src/modules.ts";
import { createService } from "../../src/service.ts";

const { reason } = await start({
  sections: SECTIONS,
  env: Deno.env.toObject(),
  version: "0.0.0",
  output: Deno.stdout.writable,
  addSignalListener: Deno.addSignalListener,
  isManaged: true,
  createService: (config, options) =>
    createService(config, { ...options, dial: dialHosted }),
});
throw new Error(reason ?? "The gateway has ended");
