"""The door: `python -m gateway` is `sipgw`."""

from gateway.cli.main import main

if __name__ == "__main__":
    main()
