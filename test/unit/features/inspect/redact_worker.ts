/** Redacts each text that it is sent, in every way there is; then says so. A thread can be ended, however long it takes. */
import {
  redactHeaders,
  redactReason,
  redactTarget,
} from "../../../../src/features/inspect/redact.ts";

/** The global scope of a worker, of which the types of this repository know nothing. */
const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent<string>) => void;
  postMessage(message: string): void;
};

scope.onmessage = ({ data: text }) => {
  redactTarget(`/?${text}`);
  redactHeaders([["referer", `/?${text}`], ["cookie", text]]);
  redactReason(text);
  scope.postMessage("redacted");
};
