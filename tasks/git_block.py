"""The Prefect block of data in a git repository."""

import re
from typing import ClassVar, Final, Self

from prefect.blocks.core import Block
from pydantic import Field, SecretStr, field_validator, model_validator

from domain.limits import MEGABYTE, Limits
from tasks.code_hosts import CodeHost, code_host
from tasks.git_address import parse_address
from tasks.git_remote import GitRemote
from tasks.git_source import GitSource

_BRANCH: Final = re.compile(r"(?!-)(?!.*(\.\.|//))[\w./@+#=-]{1,200}")
_FOLDER: Final = re.compile(r"[\w.+@=~ -]+(/[\w.+@=~ -]+)*")
_ANYBODY: Final = "x-access-token"
"""As user of a token: GitHub wants this for tokens of apps; GitHub, GitLab and Azure DevOps take any for people's tokens."""


class GitData(Block):
    """A git repository that holds the data of tracks."""

    _block_type_name: ClassVar[str] = "Speechops Git Data"
    _block_type_slug: ClassVar[str] = "git-data"
    _description: ClassVar[str] = "A git repository (with Git LFS or without) that holds the data of tracks."

    address: str = Field(
        description="https://host/path, ssh://user@host/path, user@host:path, or the full path of a folder. No password in it."
    )
    branch: str = Field(default="main", description="The branch that is followed.")
    retest_tags: tuple[str, ...] = Field(
        default=("baseline/*",), description="Patterns of tags that ask for a new test, whatever changed."
    )
    folder: str = Field(default="data", description="The folder of all tracks; empty for the repository's top.")
    username: str = Field(
        default="",
        description="The token's user; empty works for tokens of people at GitHub, GitLab and Azure DevOps.",
    )
    token: SecretStr | None = Field(
        default=None,
        description="May read the repository and, for pull requests, read them and write statuses and comments; nothing "
        "else. Left empty, the machine's own credentials count.",
    )
    lfs: bool = Field(default=True, description="Fetch the files of Git LFS; this needs git-lfs where the worker runs.")

    api: str = Field(
        default="",
        description="Of pull requests: the API's base address, when it does not follow from the repository's, such as "
        "https://git.example.org/api/v3 (GitHub) or https://git.example.org/api/v4 (GitLab).",
    )
    words_in_comments: bool = Field(
        default=False,
        description="Whether comments on pull requests may show single words of testing data that a model got right or "
        "wrong. A comment is as public as the repository.",
    )

    checks_at_once: int = Field(
        default=2,
        ge=1,
        le=32,
        description="How many pull requests are checked at the same time, by all workers together.",
    )
    check_minutes: float = Field(
        default=15,
        gt=0,
        le=24 * 60,
        description="How long the check of a pull request may take, and its processor time.",
    )
    check_memory_megabytes: int = Field(
        default=2_000, ge=500, le=1_000_000, description="Memory of each program that checks a pull request."
    )
    check_disk_megabytes: int = Field(
        default=1_000, ge=1, le=1_000_000, description="Size of all files of the tracks that a pull request changes."
    )
    check_files: int = Field(
        default=20_000, ge=1, le=1_000_000, description="Number of files of the tracks that a pull request changes."
    )

    @field_validator("address")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        parse_address(value)
        return value

    @field_validator("branch")
    @classmethod
    def _is_a_branch(cls, value: str) -> str:
        value = value.removeprefix("refs/heads/")
        if not _BRANCH.fullmatch(value):
            raise ValueError("a branch has a name such as main or release/2")
        return value

    @field_validator("folder")
    @classmethod
    def _is_a_folder(cls, value: str) -> str:
        value = value.strip("/")
        hidden = any(word.startswith(".") for word in value.split("/"))
        if value and (hidden or not _FOLDER.fullmatch(value)):
            raise ValueError("a folder is a path inside the repository such as speech/data")
        return value

    @model_validator(mode="after")
    def _token_is_safe(self) -> Self:
        if self.token and self.token.get_secret_value() and not parse_address(self.address).keeps_secrets:
            raise ValueError("a token needs an https address: elsewhere it is not used, or can be read on its way")
        return self

    @property
    def has_token(self) -> bool:
        """Whether there is one."""
        return bool(self.token and self.token.get_secret_value())

    @property
    def limits(self) -> Limits:
        """What the check of a pull request may use."""
        memory, disk = self.check_memory_megabytes * MEGABYTE, self.check_disk_megabytes * MEGABYTE
        return Limits(seconds=self.check_minutes * 60, memory=memory, disk=disk, files=self.check_files)

    def code_host(self) -> CodeHost | None:
        """Where people see the repository's pull requests; None when that is not known.

        Raises:
            Mistake: the address of the API cannot be used.
        """
        token = self.token.get_secret_value() if self.token else ""
        return code_host(self.address, token, self.api)

    def source(self, name: str) -> GitSource:
        """The data source that is called by this name."""
        address = parse_address(self.address)
        remote = GitRemote(address, self.username or address.user or _ANYBODY, self.token)
        return GitSource(name, remote, self.branch, self.retest_tags, self.folder, self.lfs)
