"""What we decide: pure functions and values. No Prefect, no network, no files."""
