"""The trainer: the child process of a training job, and the only place where TRL, peft and bitsandbytes train.

Nothing imports it; jobs name ``core.training.trainer.run:main`` and ``core.training.trainer.merge:main``.
"""

__all__: list[str] = []
