import { describe, it } from "vitest";
import { loadOptional } from "../../../sdk/runner/optional-package.ts";

describe("a package that only one type of worker needs", () => {
  it("is told of with the command that installs it when it is missing", async ({ expect }) => {
    const name = "no-such-package-of-sluice";
    await expect(loadOptional(name, "kubernetes", () => import(name))).rejects.toMatchObject({
      code: "not_configured",
      message: `Workers of type kubernetes need the package ${name}, which is not installed.`,
      fix: `Install it beside sluice: npm install ${name}`,
    });
  });

  it("is not blamed for another error", async ({ expect }) => {
    const broken = new Error("broken");
    await expect(loadOptional("it", "ecs", () => Promise.reject(broken))).rejects.toBe(broken);
  });
});
