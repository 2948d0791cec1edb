"""`python -m emulator`. Workers import this module too, so it imports nothing before it is needed."""

if __name__ == "__main__":
    from emulator.cli import main

    main()
