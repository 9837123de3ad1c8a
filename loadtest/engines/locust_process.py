"""Locust as a storm runs it: ``locust.conf`` of the working directory or of the home folder does not change it."""

from locust import argument_parser
from locust.main import main

if __name__ == "__main__":
    argument_parser.LocustArgumentParser._open_config_files = lambda *_: []
    main()
