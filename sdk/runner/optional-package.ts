/** Packages that only one type of worker needs: they are loaded when a worker of that type begins, and not before. */
import { SluiceError } from "../protocol/errors.ts";

/** Throws `SluiceError` with the command that installs the package when it is not there. */
export async function loadOptional<T>(name: string, workerType: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new SluiceError(
      "not_configured",
      `Workers of type ${workerType} need the package ${name}, which is not installed.`,
      { fix: `Install it beside sluice: npm install ${name}`, cause: error },
    );
  }
}
