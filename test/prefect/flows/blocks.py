"""Blocks: secrets, a type of one's own, and those of two integrations."""

from harness.scenario import Notes, scenario
from prefect import flow
from prefect.blocks.core import Block
from pydantic import Field, SecretStr


class Account(Block):
    """An account somewhere."""

    _block_type_name = "Blocks Test Account"
    _block_type_slug = "blocks-test-account"
    _description = "Made by a test."

    user: str
    password: SecretStr


class Service(Block):
    """A service with an account."""

    _block_type_name = "Blocks Test Service"
    _block_type_slug = "blocks-test-service"
    _block_schema_capabilities = ["call", "hang-up"]

    account: Account
    url: str = Field(default="https://example.com", description="Where it is")
    headers: dict[str, SecretStr] = Field(default_factory=dict)
    retries: int | None = None

    def call(self) -> str:
        return f"{self.account.user} calls {self.url}"


@scenario("blocks-secret")
def secret(notes: Notes) -> None:
    from prefect.blocks.system import Secret

    Secret(value="sesame").save("blocks-secret-text")
    Secret(value={"user": "u", "numbers": [1, 2]}).save("blocks-secret-json")

    @flow(name="blocks-secret")
    def reads() -> list[object]:
        return [Secret.load("blocks-secret-text").get(), Secret.load("blocks-secret-json").get()]

    notes.add("values", reads())
    notes.add("shown", str(Secret.load("blocks-secret-text")))
    Secret(value="changed").save("blocks-secret-text", overwrite=True)
    notes.add("changed", Secret.load("blocks-secret-text").get())
    notes.raised("twice", lambda: Secret(value="again").save("blocks-secret-text"))
    notes.raised("unknown", lambda: Secret.load("blocks-secret-nowhere"))
    Secret.delete("blocks-secret-text")
    notes.raised("deleted", lambda: Secret.load("blocks-secret-text"))
    notes.raised("name", lambda: Secret(value="x").save("Not A Name"))


@scenario("blocks-custom")
def custom(notes: Notes) -> None:
    from prefect.client.orchestration import get_client

    account = Account(user="ann", password="hush")
    account.save("blocks-custom-account")
    Service(account=account, headers={"token": "abc"}, retries=2).save("blocks-custom-service")
    Service(account=Account(user="bob", password="inline")).save("blocks-custom-inline")

    @flow(name="blocks-custom")
    def calls() -> list[str]:
        return [Service.load("blocks-custom-service").call(), Block.load("blocks-test-service/blocks-custom-inline").call()]

    notes.add("calls", calls())
    loaded = Service.load("blocks-custom-service")
    notes.add("password", loaded.account.password.get_secret_value())
    notes.add("header", loaded.headers["token"].get_secret_value())
    Account(user="eve", password="new").save("blocks-custom-account", overwrite=True)
    notes.add("after a change of the account", Service.load("blocks-custom-service").call())
    loaded.url = "https://example.org"
    loaded.save("blocks-custom-service", overwrite=True)
    notes.add("after a change of the service", Service.load("blocks-custom-service").call())
    client = get_client(sync_client=True)
    kind = client.read_block_type_by_slug("blocks-test-service")
    notes.add("type", [kind.name, kind.slug, kind.description, kind.is_protected])
    schema = client.read_block_schema_by_checksum(Service._calculate_schema_checksum())
    notes.add("schema", [sorted(schema.capabilities), sorted(schema.fields["properties"]), schema.version])
    document = client.read_block_document_by_name("blocks-custom-service", "blocks-test-service", include_secrets=False)
    notes.add("without secrets", document.data)
    notes.add("references", sorted(document.block_document_references))


@scenario("blocks-as-parameters")
def as_parameters(notes: Notes) -> None:
    # A type of its own: the client does not bear two processes that register the same one at once.
    class Badge(Block):
        """What somebody wears."""

        _block_type_slug = "blocks-as-parameters-badge"

        name: str
        pin: SecretStr

    Badge(name="cyd", pin="hush").save("blocks-as-parameters-badge")

    @flow(name="blocks-as-parameters")
    def takes(badge: Badge) -> str:
        return badge.name

    notes.add("value", takes(Badge.load("blocks-as-parameters-badge")))


@scenario("blocks-json-and-files")
def json_and_files(notes: Notes) -> None:
    import tempfile

    from prefect import task
    from prefect.filesystems import LocalFileSystem

    with tempfile.TemporaryDirectory() as folder:
        storage = LocalFileSystem(basepath=folder)
        storage.save("blocks-json-and-files")

        @task(name="blocks-json-and-files.task", persist_result=True)
        def work() -> str:
            return "kept elsewhere"

        @flow(name="blocks-json-and-files", result_storage=storage, persist_result=True)
        def keeps() -> str:
            return work()

        notes.add("value", keeps())
        files = LocalFileSystem.load("blocks-json-and-files")
        files.write_path("blocks.txt", b"bytes")
        notes.add("bytes", files.read_path("blocks.txt").decode())


@scenario("blocks-aws", not_quick="importing boto3 takes seconds")
def aws(notes: Notes) -> None:
    from prefect_aws import AwsCredentials, AwsSecret, S3Bucket

    credentials = AwsCredentials(
        aws_access_key_id="AKIATEST", aws_secret_access_key="hush", region_name="eu-west-1"
    )
    credentials.save("blocks-aws-credentials")
    S3Bucket(bucket_name="a-bucket", bucket_folder="a/folder", credentials=credentials).save("blocks-aws-bucket")
    AwsSecret(aws_credentials=credentials, secret_name="a-secret").save("blocks-aws-secret")
    bucket = S3Bucket.load("blocks-aws-bucket")
    notes.add("bucket", [bucket.bucket_name, bucket.bucket_folder, bucket.credentials.region_name])
    notes.add("key", bucket.credentials.aws_secret_access_key.get_secret_value())
    notes.add("secret", AwsSecret.load("blocks-aws-secret").secret_name)
    notes.add("any", type(Block.load("aws-credentials/blocks-aws-credentials")).__name__)


@scenario("blocks-snowflake", not_quick="importing the connector takes seconds")
def snowflake(notes: Notes) -> None:
    from prefect_snowflake import SnowflakeConnector, SnowflakeCredentials

    credentials = SnowflakeCredentials(account="an-account", user="ann", password="hush", role="reader")
    credentials.save("blocks-snowflake-credentials")
    SnowflakeConnector(
        credentials=credentials, database="a_database", warehouse="a_warehouse", schema="a_schema"
    ).save("blocks-snowflake-connector")
    connector = SnowflakeConnector.load("blocks-snowflake-connector")
    notes.add("connector", [connector.database, connector.warehouse, connector.schema_, connector.fetch_size])
    notes.add("password", connector.credentials.password.get_secret_value())
