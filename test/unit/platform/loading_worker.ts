/** A worker that tells when its module has been loaded (see worker_permission_test.ts). */
declare function postMessage(message: string): void;

postMessage("loaded");
