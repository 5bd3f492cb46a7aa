"""`make plan`: which quota a load reaches first, what gets hot, and what memory costs."""

import argparse
import math
import sys

from infra.plan import tables
from infra.plan.bench_page import PAGE as MEASURED
from infra.plan.bench_page import NotMeasured, measured
from infra.plan.page import PAGE, replaced


def main() -> int:
    """Writes the page, or prints the tables of a load; 1 with a sentence if that fails."""
    options = _options()
    try:
        about = measured(MEASURED.read_text())
        if options.verifications:
            print(tables.verifications(about, options.verifications))
        if options.items:
            print(tables.long_lists(about, [options.items]))
        if not (options.verifications or options.items):
            PAGE.write_text(replaced(PAGE.read_text(), about))
            print("written to docs/explanation/capacity.md")
    except (NotMeasured, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make plan", description=__doc__)
    parser.add_argument("--verifications", type=float, help="a second; the page stays as it is")
    parser.add_argument("--items", type=int, help="of a list; the page stays as it is")
    options = parser.parse_args()
    given = [value for value in vars(options).values() if value is not None]
    if not all(0 < value < math.inf for value in given):
        parser.error("--verifications and --items are numbers above 0")
    return options


if __name__ == "__main__":
    sys.exit(main())
