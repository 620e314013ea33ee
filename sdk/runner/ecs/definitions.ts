/** Task definitions in an account: found, registered once, and deregistered where that was asked for. */
import type {
  DescribeTaskDefinitionCommandOutput,
  RegisterTaskDefinitionCommandInput,
  TaskDefinition,
} from "@aws-sdk/client-ecs";
import { type Json, object, text } from "../template/fields.ts";
import type { AwsAccount } from "./aws-clients.ts";
import type { EcsJob } from "./ecs-job.ts";
import { isSameDefinition, taskDefinition } from "./task-definition.ts";

type Package = typeof import("@aws-sdk/client-ecs");

export interface UsedDefinition {
  readonly arn: string;
  readonly definition: Json;
  /** Whether it was registered for this run. */
  readonly isOwn: boolean;
}

/** Definitions that this worker registered, so that runs that are alike share one. */
export class Definitions {
  readonly #package: Package;
  readonly #registered = new Map<string, Promise<UsedDefinition>>();

  constructor(loaded: Package) {
    this.#package = loaded;
  }

  /** Throws what AWS refuses, and `CannotStartError` for a definition that cannot be. */
  async definitionFor(account: AwsAccount, job: EcsJob, defaultFamily: string): Promise<UsedDefinition> {
    if (job.arn !== null) {
      const found = await this.#describe(account, job.arn);
      return { arn: job.arn, definition: json(found), isOwn: false };
    }
    const wanted = taskDefinition(job, account.region, defaultFamily);
    if (job.deregisters) return await this.#register(account, job, wanted);
    const key = JSON.stringify([job.credentials, account.region, wanted]);
    const known = this.#registered.get(key);
    if (known) return await known;
    const registering = this.#register(account, job, wanted);
    this.#registered.set(key, registering);
    try {
      return await registering;
    } catch (error) {
      this.#registered.delete(key);
      throw error;
    }
  }

  /** It was deregistered by somebody: the next run registers it anew. */
  forget(used: UsedDefinition): void {
    for (const [key, registered] of this.#registered) {
      void registered.then(({ arn }) => arn === used.arn && this.#registered.delete(key)).catch(() => undefined);
    }
  }

  async deregister({ client }: AwsAccount, { arn }: UsedDefinition): Promise<void> {
    await client.send(new this.#package.DeregisterTaskDefinitionCommand({ taskDefinition: arn }));
  }

  async #register(account: AwsAccount, job: EcsJob, wanted: Json): Promise<UsedDefinition> {
    if (job.matchesLatest) {
      const latest = await this.#latest(account, text(wanted, "family") ?? "");
      if (latest?.taskDefinitionArn !== undefined && isSameDefinition(wanted, json(latest))) {
        return { arn: latest.taskDefinitionArn, definition: json(latest), isOwn: false };
      }
    }
    const input = wanted as unknown as RegisterTaskDefinitionCommandInput;
    const { taskDefinition: made } = await account.client.send(new this.#package.RegisterTaskDefinitionCommand(input));
    if (made?.taskDefinitionArn === undefined) throw new Error("ECS registered a task definition and did not name it.");
    return { arn: made.taskDefinitionArn, definition: wanted, isOwn: true };
  }

  /** Null for a family that has none. */
  async #latest(account: AwsAccount, family: string): Promise<TaskDefinition | null> {
    try {
      return await this.#describe(account, family);
    } catch (error) {
      if ((error as Error).name === "ClientException") return null;
      throw error;
    }
  }

  async #describe({ client }: AwsAccount, name: string): Promise<TaskDefinition> {
    const command = new this.#package.DescribeTaskDefinitionCommand({ taskDefinition: name });
    const { taskDefinition: found }: DescribeTaskDefinitionCommandOutput = await client.send(command);
    return found ?? {};
  }
}

function json(value: unknown): Json {
  return object(JSON.parse(JSON.stringify(value))) ?? {};
}
