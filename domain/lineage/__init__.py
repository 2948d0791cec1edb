"""Where what is live came from, and what came of the data: answers from the ledger and the evidence alone."""
