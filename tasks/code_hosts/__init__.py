"""Where people see what was found out about a pull request: GitHub, GitLab, Azure DevOps."""

from tasks.code_hosts.choice import code_host
from tasks.code_hosts.host import CodeHost, PullRequest, Status

__all__ = ["CodeHost", "PullRequest", "Status", "code_host"]
