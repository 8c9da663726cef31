"""`python -m specgl` is the `specgl` command."""

from specgl.cli import main

if __name__ == "__main__":
    main()
