import assert from "node:assert/strict";
import { isSafe } from "../../../src/http/safe_method.ts";

Deno.test("isSafe() names the methods that change nothing, in upper case, as methods are", () => {
  for (const method of ["GET", "HEAD", "OPTIONS"]) assert(isSafe(method));
  for (const method of ["POST", "PUT", "PATCH", "DELETE", "get", "GETS", ""]) {
    assert(!isSafe(method), method);
  }
});
