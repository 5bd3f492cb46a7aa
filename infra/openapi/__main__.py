"""`make openapi`: writes docs/reference/openapi.json."""

import argparse
import json
import sys

from infra.openapi.document import document
from infra.openapi.files import COMMITTED


def main() -> int:
    """Writes the document for people and diffs, or prints it as short as it is served."""
    parser = argparse.ArgumentParser(prog="infra.openapi", description=__doc__)
    parser.add_argument("--print-for", metavar="URL", help="print it for the API at this URL")
    server = parser.parse_args().print_for
    if server:
        json.dump(document(server), sys.stdout, ensure_ascii=False, separators=(",", ":"))
    else:
        COMMITTED.write_text(text())
    return 0


def text() -> str:
    """The document for people and diffs: always the same for the same code."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.exit(main())
