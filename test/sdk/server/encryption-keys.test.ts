import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, onTestFinished } from "vitest";
import { encryptionKeys } from "../../../sdk/server/encryption-keys.ts";

function newFile(): string {
  const folder = mkdtempSync(join(tmpdir(), "sluice-keys-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "encryption-keys");
}

const A = Buffer.alloc(32, "a").toString("base64");
const B = Buffer.alloc(32, "b").toString("base64");

describe("the keys of the embedded server", () => {
  it("are one that is made at the first start and kept, for nobody else to read", ({ expect }) => {
    const file = newFile();
    const made = encryptionKeys(file, undefined);
    expect(Buffer.from(made, "base64")).toHaveLength(32);
    expect(encryptionKeys(file, "")).toBe(made);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(encryptionKeys(newFile(), undefined)).not.toBe(made);
  });

  it("are those that are given, before the one that was kept", ({ expect }) => {
    const file = newFile();
    expect(encryptionKeys(file, `${A}, ${B}`)).toBe(`${A},${B}`);
    expect(() => readFileSync(file)).toThrow("ENOENT");
    const made = encryptionKeys(file, undefined);
    expect(encryptionKeys(file, A)).toBe(`${A},${made}`);
    expect(encryptionKeys(file, made)).toBe(made);
  });

  it.for(["short", `${A},AAAA`, "not base64!"])("are not taken as %j, which is not repeated", (given, { expect }) => {
    const refused = expect.objectContaining({
      code: "encryption_key_invalid",
      message: expect.not.stringContaining(given),
    });
    expect(() => encryptionKeys(newFile(), given)).toThrow(refused);
    const file = newFile();
    writeFileSync(file, given);
    expect(() => encryptionKeys(file, undefined)).toThrow(refused);
  });
});
