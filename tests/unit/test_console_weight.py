"""The console's weight: it opens at once, without a build step that would make it smaller."""

from infra.console.static import STATIC

MOST_BYTES = 150_000
API_VIEWER = {STATIC / "pages/api.js", STATIC / "pages/api.css"}


def test_the_console_weighs_at_most_150_kb() -> None:
    """Everything that is served counts, as it is in the folder, but the API viewer."""
    weights = {
        file.relative_to(STATIC).as_posix(): file.stat().st_size
        for file in STATIC.rglob("*")
        if file.is_file() and file not in API_VIEWER
    }
    assert all(file.is_file() for file in API_VIEWER)
    assert {"index.html", "icon.svg", "console.css", "app.js", "pages/verify.js"} <= weights.keys()
    heaviest = sorted(weights.items(), key=lambda each: -each[1])[:10]
    assert sum(weights.values()) <= MOST_BYTES, heaviest
