/** Holds our OpenAPI document against the one that the installed Prefect package generates. */
import { beforeAll, describe, it } from "vitest";
import { OTHER_ISSUES, UNKNOWN_FIELDS } from "./compared-operations.ts";
import { type DescribedOperation, fieldsOf, OpenApiDocument, operationsOf } from "./openapi-document.ts";
import { runPython } from "./python.ts";
import { startSluice } from "./servers.ts";

let theirs: Map<string, DescribedOperation>;
let ours: Map<string, DescribedOperation>;

beforeAll(async () => {
  await using sluice = await startSluice();
  const [installed, served] = await Promise.all([
    runPython("describe.py"),
    fetch(`${sluice.apiUrl}/openapi.json`).then((response) => response.json()),
  ]);
  theirs = operationsOf(OpenApiDocument.parse(installed));
  ours = operationsOf(OpenApiDocument.parse(served));
});

const isUi = ({ title }: DescribedOperation) => title.includes(" /ui/");
const issueOf = (title: string) => OTHER_ISSUES.find(({ operations }) => operations.test(title))?.issue;

/** What a served operation does not know of the installed one. */
function unknownTo(our: DescribedOperation, their: DescribedOperation): string[] {
  const parameters = their.query.filter((name) => !our.query.includes(name)).map((name) => `query ${name}`);
  const known = fieldsOf(our.body, our.document);
  const isServed = our.body !== undefined;
  const all = [...fieldsOf(their.body, their.document).paths].filter((path) => !isServed || !known.accepts(path));
  // What is inside of an unknown field goes without saying.
  const fields = all.filter(
    (path) => !all.some((other) => path.startsWith(`${other}.`) || path.startsWith(`${other}[`)),
  );
  return [...parameters, ...fields.map((path) => `body ${path}`)].map((field) => `${their.title}: ${field}`);
}

describe("the OpenAPI document", () => {
  it("names every operation of Prefect's but those of other issues", ({ expect }) => {
    const missing = [...theirs.values()].filter(({ key }) => !ours.has(key)).map(({ title }) => title);
    const all = [...theirs.values()];
    const served = all.filter(({ key }) => ours.has(key));
    const public_ = all.filter((operation) => !isUi(operation)).length;
    const ui = served.filter(isUi).length;
    console.log(`\n${served.length - ui} of ${public_} operations, ui/* ${ui} of ${all.length - public_}\n`);
    expect(missing.filter((title) => issueOf(title) === undefined)).toEqual([]);
  });

  it("lists only operations that Prefect has", ({ expect }) => {
    const titles = [...theirs.values()].map(({ title }) => title);
    const idle = OTHER_ISSUES.filter(({ operations }) => !titles.some((title) => operations.test(title)));
    expect(idle).toEqual([]);
  });

  it("names every path parameter, query parameter and body field of what it serves", ({ expect }) => {
    const unknown = [...theirs.values()].flatMap((their) => {
      const our = ours.get(their.key);
      return our === undefined ? [] : unknownTo(our, their);
    });
    const accepted = (field: string) => UNKNOWN_FIELDS.some(({ fields }) => fields.test(field));
    expect(unknown.filter((field) => !accepted(field))).toEqual([]);
    const idle = UNKNOWN_FIELDS.filter(({ fields }) => !unknown.some((field) => fields.test(field)));
    expect(idle).toEqual([]);
  });
});
