"""The story, one flow per file. Nothing imports flows; `prefect.yaml` names them."""
