/**
 * The network of a task for which none was given: the subnets of the VPC that it names, or of the account's default one.
 * The client of EC2 is a package of its own, and two requests are all that is needed.
 */
import { CannotStartError } from "../cannot-start.ts";
import type { Json } from "../template/fields.ts";
import type { AwsAccount } from "./aws-clients.ts";
import type { EcsJob } from "./ecs-job.ts";
import { signedHeaders } from "./signed-headers.ts";

const VERSION = "2016-11-15";
const ANSWER_WITHIN_MS = 30_000;

/** Answers are kept for as long as the worker lives: subnets hardly ever change. */
export class Networks {
  readonly #known = new Map<string, Promise<Json>>();

  /** As "awsvpcConfiguration" has it. Throws {@link CannotStartError} for a VPC without subnets, or if there is none. */
  async networkFor(account: AwsAccount, { credentials, vpcId }: EcsJob): Promise<Json> {
    const key = JSON.stringify([credentials, account.region, vpcId]);
    const finding = this.#known.get(key) ?? findNetwork(account, vpcId);
    this.#known.set(key, finding);
    try {
      return await finding;
    } catch (error) {
      this.#known.delete(key);
      throw error;
    }
  }
}

async function findNetwork(account: AwsAccount, vpcId: string | null): Promise<Json> {
  const vpc = vpcId ?? (await describe(account, "DescribeVpcs", "is-default", "true", "vpcId"))[0];
  if (vpc === undefined) {
    throw new CannotStartError(
      `The account has no default VPC in ${account.region}. Give the job variable vpc_id, or network_configuration: {"subnets": ["subnet-…"], "securityGroups": ["sg-…"]}.`,
    );
  }
  const subnets = [...new Set(await describe(account, "DescribeSubnets", "vpc-id", vpc, "subnetId"))];
  if (subnets.length === 0) {
    throw new CannotStartError(`The VPC ${vpc} has no subnets in ${account.region}. Look at the job variable vpc_id.`);
  }
  // A public address, since the image is pulled by way of it where the VPC has no other way out.
  return { subnets, assignPublicIp: "ENABLED" };
}

/** The values of one element of the answer. */
async function describe(
  { client, region }: AwsAccount,
  action: string,
  filter: string,
  value: string,
  element: string,
): Promise<string[]> {
  const set = process.env["AWS_ENDPOINT_URL_EC2"] || process.env["AWS_ENDPOINT_URL"];
  const url = new URL(set || `https://ec2.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}/`);
  const asked = { Action: action, Version: VERSION, "Filter.1.Name": filter, "Filter.1.Value.1": value };
  const body = new URLSearchParams(asked).toString();
  const headers = { "content-type": "application/x-www-form-urlencoded; charset=utf-8" };
  const { accessKeyId, secretAccessKey, sessionToken } = await client.config.credentials();
  const signer = { accessKeyId, secretAccessKey, sessionToken, region };
  const answer = await fetch(url, {
    method: "POST",
    headers: await signedHeaders(url, signer, { service: "ec2", body, headers }),
    body,
    signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
  });
  const text = await answer.text();
  if (answer.ok) return valuesOf(text, element);
  const said = valuesOf(text, "Message")[0] ?? `status ${answer.status}`;
  throw new Error(
    `The subnets for the run's task could not be read (${action}): ${said} Give the job variable network_configuration, or the worker the right to read them; docs/workers.md has the policy.`,
  );
}

/** Ids and messages of AWS are plain text in its XML. */
function valuesOf(xml: string, element: string): string[] {
  return [...xml.matchAll(new RegExp(`<${element}>([^<]*)</${element}>`, "g"))].map(([, value = ""]) => value);
}
