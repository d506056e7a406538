"""``python -m core``: everything that the pages do, without a browser."""

from core.cli import main

if __name__ == "__main__":
    main()
