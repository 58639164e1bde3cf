"""The headers every answer carries."""

from starlette.types import Message, Receive, Scope, Send

from manager.guard import HEADERS, Guard


async def test_headers_are_added_behind_those_of_the_answer() -> None:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"a", b"1")]})
        await send({"type": "http.response.body", "body": b"text"})

    async def receive() -> Message:
        return {"type": "http.request"}

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await Guard(application)({"type": "http"}, receive, send)
    assert sent[0]["headers"] == [(b"a", b"1"), *HEADERS]
    assert sent[1] == {"type": "http.response.body", "body": b"text"}
