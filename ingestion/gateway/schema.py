"""What the gateway's API is: `/openapi.json` for programs, `/docs` for people, which loads nothing from anywhere."""

import html
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from ingestion.gateway.fields import PostFields

VERSION = "1"
_REFUSALS = {
    400: "cannot be read: no boundary, half a body, two files, no JSON",
    401: "no API key, an unknown or a revoked one",
    403: "the API key may not do this",
    404: "no video of this id",
    408: "the body stalled, or took too long",
    409: "the idempotency key stands for another request, or the first is still under way",
    413: "the body, the file or its picture is too large",
    415: "neither a form nor JSON, or the file is no video",
    422: "a field is unknown or too long, or the video cannot be used",
    429: "too many requests, or too many at once; see Retry-After",
    503: "a part of the platform is away; see Retry-After",
}
_SECURITY: list[dict[str, list[str]]] = [{"key": []}]
_ID = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
_IDEMPOTENCY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "The same key and the same request again get the same answer; another request gets 409.",
    "schema": {"type": "string", "maxLength": 128},
}
_REFUSAL = {
    "type": "object",
    "required": ["code", "reason"],
    "properties": {"code": {"type": "string"}, "reason": {"type": "string"}},
}
_TAKEN = {
    "type": "object",
    "properties": {name: {"type": ["string", "null"]} for name in ("id", "video_id", "state", "sha256", "self")},
}
_VIDEO = {
    "type": "object",
    "properties": {
        **{
            name: {"type": ["string", "null"]}
            for name in (
                "id",
                "video_id",
                "state",
                "code",
                "reason",
                "sha256",
                "content_type",
                "found_at",
                "updated_at",
            )
        },
        "size_bytes": {"type": ["integer", "null"]},
        "verdict": {"type": ["object", "null"]},
    },
}


def openapi() -> dict[str, Any]:
    """The API as OpenAPI 3.1."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Clipwarden gateway", "version": VERSION},
        "security": _SECURITY,
        "components": {"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
        "paths": {
            "/v1/videos": {"post": _post()},
            "/v1/videos/{id}": {"get": _get("The state of a video and its current verdict", _json(_VIDEO))},
            "/v1/videos/{id}/events": {
                "get": _get(
                    "Server-sent events until the verdict: state, then verdict or refused",
                    {"text/event-stream": {"schema": {"type": "string"}}},
                )
            },
        },
    }


def page() -> str:
    """The same for people: one page, nothing to load."""
    operations = (
        (path, method.upper(), operation)
        for path, methods in openapi()["paths"].items()
        for method, operation in methods.items()
    )
    body = "".join(_section(path, method, operation) for path, method, operation in operations)
    style = "body{font:16px/1.5 system-ui;max-width:56rem;margin:2rem auto;padding:0 1rem}td{padding:0 1rem 0 0;"
    style += "vertical-align:top}code{background:#8882}"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Clipwarden gateway</title>'
        f"<style>{style}</style></head><body><h1>Clipwarden gateway</h1>"
        "<p>Send <code>Authorization: Bearer cw_...</code>; <code>clipwarden api-keys make</code> makes keys. "
        f'For programs: <a href="openapi.json">openapi.json</a>.</p>{body}</body></html>'
    )


def _post() -> dict[str, Any]:
    fields = PostFields.model_json_schema()
    form = {name: {"type": "string"} for name in fields["properties"] if name != "link"}
    form["file"] = {"type": "string", "format": "binary"}
    return {
        "summary": "Post a video: a file in a form; or, as JSON, a link or a caption",
        "parameters": [_IDEMPOTENCY],
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {"schema": {"type": "object", "required": ["file"], "properties": form}},
                **_json(fields),
            },
        },
        "responses": {"202": {"description": "taken in", "content": _json(_TAKEN)}, **_refusals(_REFUSALS)},
    }


def _get(summary: str, content: Mapping[str, Any]) -> dict[str, Any]:
    codes = (401, 403, 404, 429, 503)
    refusals = _refusals({code: _REFUSALS[code] for code in codes})
    return {
        "summary": summary,
        "parameters": [_ID],
        "responses": {"200": {"description": "so it is", "content": content}, **refusals},
    }


def _json(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _refusals(which: Mapping[int, str]) -> dict[str, Any]:
    return {str(code): {"description": text, "content": _json(_REFUSAL)} for code, text in which.items()}


def _section(path: str, method: str, operation: Mapping[str, Any]) -> str:
    rows = _rows((code, answer["description"]) for code, answer in operation["responses"].items())
    head = f"<h2><code>{method} {html.escape(path)}</code></h2><p>{html.escape(operation['summary'])}.</p>"
    return f"{head}{_body(operation)}<table>{rows}</table>"


def _body(operation: Mapping[str, Any]) -> str:
    content = operation.get("requestBody", {}).get("content", {})
    fields = {kind: ", ".join(media["schema"]["properties"]) for kind, media in content.items()}
    return f"<table>{_rows(fields.items())}</table>" if fields else ""


def _rows(rows: Iterable[tuple[str, str]]) -> str:
    return "".join(
        f"<tr><td><code>{html.escape(left)}</code>{_phrase(left)}</td><td>{html.escape(right)}</td></tr>"
        for left, right in rows
    )


def _phrase(code: str) -> str:
    return f" {HTTPStatus(int(code)).phrase}" if code.isdecimal() else ""
