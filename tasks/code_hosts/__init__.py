"""Where people see what was found out about a pull request: GitHub, GitLab, Azure DevOps."""

from tasks.code_hosts.choice import code_host
from tasks.code_hosts.github import GitHub
from tasks.code_hosts.github_releases import CodeRelease
from tasks.code_hosts.host import CodeHost, PullRequest, Status

__all__ = ["CodeHost", "CodeRelease", "GitHub", "PullRequest", "Status", "code_host"]
