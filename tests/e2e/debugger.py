"""An editor's side of debugpy: as much of the Debug Adapter Protocol as a breakpoint needs."""

import json
import socket
from pathlib import Path
from types import TracebackType
from typing import Any, Self

Json = dict[str, Any]
_SECONDS = 60


class Debugger:
    """Attached to a process that waits, with a breakpoint."""

    def __init__(self, port: int, source: Path, line: int) -> None:
        self._connection = socket.create_connection(("127.0.0.1", port), timeout=_SECONDS)
        self._stream = self._connection.makefile("rwb")
        self._number = 0
        self._events: list[Json] = []
        self._ask("initialize", adapterID="tests", pathFormat="path")
        attach = self._send("attach", connect={"host": "127.0.0.1", "port": port})
        self.wait_for("initialized")
        place = {"source": {"path": str(source)}, "breakpoints": [{"line": line}]}
        (found,) = self._ask("setBreakpoints", **place)["breakpoints"]
        assert found["verified"], found
        self._ask("configurationDone")
        self._answer(attach)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: object, __: TracebackType | None
    ) -> None:
        if kind is None:
            self._ask("disconnect", terminateDebuggee=False)
        self._stream.close()
        self._connection.close()

    def wait_for(self, event: str) -> Json:
        """Body of the next event of this kind."""
        while True:
            for each in self._events:
                if each["event"] == event:
                    self._events.remove(each)
                    body: Json = each.get("body", {})
                    return body
            self._read()

    def stopped(self) -> Json:
        """Waits until a thread stops; its innermost frame, with the names in it."""
        self._thread = self.wait_for("stopped")["threadId"]
        (frame,) = self._ask("stackTrace", threadId=self._thread, levels=1)["stackFrames"]
        self._frame = frame["id"]
        scopes = self._ask("scopes", frameId=frame["id"])["scopes"]
        local = self._ask("variables", variablesReference=scopes[0]["variablesReference"])
        names = {each["name"]: each["value"] for each in local["variables"]}
        return {"path": frame["source"]["path"], "line": frame["line"], "names": names}

    def value(self, expression: str) -> str:
        """Value of an expression where the thread is stopped."""
        result: str = self._ask("evaluate", expression=expression, frameId=self._frame)["result"]
        return result

    def go_on(self) -> None:
        """Continues the stopped thread."""
        self._ask("continue", threadId=self._thread)

    def _ask(self, command: str, **arguments: Any) -> Json:
        return self._answer(self._send(command, **arguments))

    def _send(self, command: str, **arguments: Any) -> int:
        self._number += 1
        told = {"seq": self._number, "type": "request", "command": command, "arguments": arguments}
        body = json.dumps(told).encode()
        self._stream.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self._stream.flush()
        return self._number

    def _answer(self, number: int) -> Json:
        while True:
            read = self._read()
            if read["type"] == "response" and read["request_seq"] == number:
                assert read["success"], read
                body: Json = read.get("body") or {}
                return body

    def _read(self) -> Json:
        """The next message; events are kept."""
        length = 0
        while line := self._stream.readline().strip():
            length = int(line.removeprefix(b"Content-Length:"))
        assert length, "the debugger has ended"
        read: Json = json.loads(self._stream.read(length))
        if read["type"] == "event":
            self._events.append(read)
        return read
