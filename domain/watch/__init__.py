"""What the watch looks for on a live model, and what it says: pure, without service or server."""
