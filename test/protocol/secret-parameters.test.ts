import { describe, it } from "vitest";
import { secretParametersOf, withoutSecrets } from "#protocol/secret-parameters";

const SECRET = { type: "string", format: "password" };
const LOGIN = { type: "object", properties: { user: { type: "string" }, password: SECRET } };

describe("a parameter", () => {
  it.for([
    ["of the format password", SECRET, true],
    ["that is only written", { type: "string", writeOnly: true }, true],
    ["that may be absent", { anyOf: [SECRET, { type: "null" }] }, true],
    ["that holds one", LOGIN, true],
    ["with a list of them", { type: "array", items: LOGIN }, true],
    ["with them by name", { type: "object", additionalProperties: SECRET }, true],
    ["that refers to one", { $ref: "#/definitions/Login" }, true],
    ["whose part refers to one", { allOf: [{ $ref: "#/definitions/Login" }] }, true],
    ["of another kind", { type: "string", format: "uri" }, false],
    ["that is only read", { type: "string", readOnly: true }, false],
    ["that refers to what is not there", { $ref: "#/definitions/constructor" }, false],
    ["that refers to itself", { $ref: "#/properties/it" }, false],
  ] as const)("%s is secret: %s", ([, it, isSecret], { expect }) => {
    const schema = { type: "object", properties: { it, plain: { type: "integer" } }, definitions: { Login: LOGIN } };
    expect([...secretParametersOf(schema)]).toEqual(isSecret ? ["it"] : []);
  });

  it.for([[null], [{}], [{ properties: [] }], [{ properties: { it: true } }]])(
    "is not secret by the schema %o",
    ([schema], { expect }) => {
      expect(secretParametersOf(schema).size).toBe(0);
    },
  );

  it("that is secret is hidden as a whole, and the others stand where they were", ({ expect }) => {
    const given = { a: 1, login: { user: "u", password: "p" }, z: [2] };
    const shown = withoutSecrets(given, new Set(["login", "absent"]));
    expect(JSON.stringify(shown)).toBe('{"a":1,"login":"********","z":[2]}');
    expect(given.login.password).toBe("p");
  });
});
