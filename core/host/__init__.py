"""The host: an OpenAI-compatible server for local weights, adapters and embeddings, on loopback with a token.

Start it with ``python -m core.host``; everyone else speaks to it over HTTP and never imports it.
"""

__all__: list[str] = []
