/** Variables of the control plane: small named values that programs share. */
import { SluiceError } from "../protocol/errors.ts";
import { requiredClient } from "./deploy/deployment.ts";

/** Reads and writes variables. Every member throws `SluiceError` without a control plane. */
export const variables = {
  /** The value of a variable; `fallback` (default undefined) when there is none. */
  async get<T = unknown>(name: string, fallback?: T): Promise<T | undefined> {
    const client = requiredClient("variables.get()");
    const { readVariableByName } = await import("../protocol/variables.ts");
    try {
      const { value } = await client.call(readVariableByName, { params: { name } });
      return value as T;
    } catch (error) {
      if (error instanceof SluiceError && error.code === "not_found") return fallback;
      throw error;
    }
  },
  /**
   * Sets a variable. Throws `conflict` for one that there is, unless `overwrite`; the name may hold lower-case letters,
   * digits, dashes and underscores, the value is at most 5,000 characters of JSON.
   */
  async set(
    name: string,
    value: unknown,
    options: { readonly overwrite?: boolean; readonly tags?: readonly string[] } = {},
  ): Promise<void> {
    const client = requiredClient("variables.set()");
    const { createVariable, updateVariableByName } = await import("../protocol/variables.ts");
    const tags = options.tags === undefined ? {} : { tags: [...options.tags] };
    try {
      await client.call(createVariable, { body: { name, value, ...tags } });
    } catch (error) {
      if (!options.overwrite || !(error instanceof SluiceError) || error.code !== "conflict") throw error;
      await client.call(updateVariableByName, { params: { name }, body: { value, ...tags } });
    }
  },
  /** Deletes a variable. Answers whether there was one. */
  async unset(name: string): Promise<boolean> {
    const client = requiredClient("variables.unset()");
    const { deleteVariableByName } = await import("../protocol/variables.ts");
    try {
      await client.call(deleteVariableByName, { params: { name } });
      return true;
    } catch (error) {
      if (error instanceof SluiceError && error.code === "not_found") return false;
      throw error;
    }
  },
} as const;
