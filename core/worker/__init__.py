"""The supervisor of one job (`python -m core.worker JOB_ID`) and the process that does its work."""

__all__: list[str] = []
