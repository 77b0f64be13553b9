import { tokenKind } from "../../../../src/features/machine_tokens/token_kind.ts";
import { SecretHashes } from "../../../../src/lib/secret_hashes.ts";
import { suiteOfRecordKind } from "../../../support/record_kind.ts";

suiteOfRecordKind(tokenKind(new SecretHashes(["secret"], "test")), {
  sandbox: "box",
  ports: [3000],
  expiresInSec: 60,
});
