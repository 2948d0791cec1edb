"""Where lineage and pages are kept in the store."""


def state_key(track: str) -> str:
    """The head of a track."""
    return f"tracks/{track}/state.json"


def first_entry_key(track: str) -> str:
    """The first entry of its history."""
    return f"tracks/{track}/ledger/000001.json"


def watch_key(track: str) -> str:
    """What the watch found last."""
    return f"tracks/{track}/watch.json"


def approvals_prefix(track: str) -> str:
    """Requests for approval."""
    return f"tracks/{track}/approvals/"


def page_name(track: str) -> str:
    """The file of a track's page, which is never that of the index.

    >>> page_name("city"), page_name("index")
    ('city.html', 'index_.html')
    """
    return f"{track}_.html" if track == "index" else f"{track}.html"


def page_key(track: str) -> str:
    """The page of a track."""
    return f"pages/{page_name(track)}"


INDEX = "pages/index.html"
"""The page that lists all tracks."""
