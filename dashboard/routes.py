"""What the console answers beside its pages: one row each. A route asks `dashboard.callers.person_of` who calls."""

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from core.errors import StoreUnavailable
from dashboard import entrance, export_route, still_route
from dashboard.resources import resources


def ready(request: Request) -> Response:
    """GET /readyz: whether people can sign in."""
    del request
    try:
        resources().sessions.ping()
    except StoreUnavailable as error:
        return PlainTextResponse(f"{error}\n", 503)
    return PlainTextResponse("ready\n")


ROUTES: tuple[Route, ...] = (
    Route("/sign-in", entrance.show, methods=["GET"]),
    Route("/sign-in", entrance.take, methods=["POST"]),
    Route("/sign-in/provider", entrance.set_out, methods=["POST"]),
    Route("/enter", entrance.enter, methods=["GET"]),
    Route("/export/{token}", export_route.download, methods=["GET"]),
    Route("/readyz", ready, methods=["GET"]),
    Route("/still/{video_id}", still_route.still, methods=["GET"]),
)
