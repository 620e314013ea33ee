/** The credentials that the job templates of several worker types ask for, as their blocks are declared. */

export const dockerRegistryCredentials = {
  title: "DockerRegistryCredentials",
  type: "object",
  properties: {
    username: { title: "Username", type: "string" },
    password: { title: "Password", type: "string", writeOnly: true, format: "password" },
    registry_url: { title: "Registry Url", type: "string" },
    reauth: { title: "Reauth", default: true, type: "boolean" },
  },
  required: ["username", "password", "registry_url"],
  block_type_slug: "docker-registry-credentials",
  secret_fields: ["password"],
  block_schema_references: {},
};

export const gcpCredentials = {
  title: "GcpCredentials",
  type: "object",
  properties: {
    service_account_file: { title: "Service Account File", type: "string", format: "path" },
    service_account_info: { title: "Service Account Info", type: "object" },
    project: { title: "Project", type: "string" },
  },
  block_type_slug: "gcp-credentials",
  secret_fields: ["service_account_info.*"],
  block_schema_references: {},
};
