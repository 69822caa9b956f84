"""Every address of the dashboard's interface -> the function that answers it; guard.LEAST says who may ask."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from layerwatch.dashboard import alarms, events, feedback, fleet, jobs, models, pictures, shapes
from layerwatch.dashboard.desk import Desk, NotThereError
from layerwatch.dashboard.guard import COOKIE, Who, desk_of, who_asks
from layerwatch.inspection.journal.overview import last_number
from layerwatch.inspection.names import safe
from layerwatch.records import UsageError

TheDesk = Annotated[Desk, Depends(desk_of)]
Asking = Annotated[Who, Depends(who_asks)]
_TYPES = {"pdf": "application/pdf", "html": "text/html; charset=utf-8", "csv": "text/csv; charset=utf-8"}
_FOR_EVER = "private, max-age=31536000, immutable"
_MOST_ROWS = 1000

router = APIRouter()


def _me(who: Who, *, needs_login: bool) -> dict[str, Any]:
    return {"name": who.name, "role": who.role or "", "needs_login": needs_login, "csrf": who.csrf}


@router.get("/api/me")
def me(desk: TheDesk, who: Asking) -> dict[str, Any]:
    """Who asks; an empty name and role where nobody is logged in."""
    return _me(who, needs_login=desk.users.needs_login)


@router.post("/api/login")
def login(desk: TheDesk, request: Request, said: shapes.Login) -> Response:
    """Log in; the answer sets a cookie that no script can read."""
    found = desk.users.log_in(said.name, said.password, request.client.host if request.client else "")
    if found is None:
        raise HTTPException(401, "no such name and password")
    token, session = found
    answer = JSONResponse(_me(Who(session.name, desk.users.role(session), session.csrf), needs_login=True))
    is_secure = request.url.scheme == "https"
    answer.set_cookie(COOKIE, token, httponly=True, samesite="strict", secure=is_secure, path="/")
    return answer


@router.post("/api/logout")
def logout(desk: TheDesk, request: Request) -> Response:
    """Log out."""
    desk.users.log_out(request.cookies.get(COOKIE, ""))
    answer = JSONResponse({})
    answer.delete_cookie(COOKIE, path="/")
    return answer


@router.get("/api/fleet")
def get_fleet(desk: TheDesk) -> dict[str, Any]:
    """The service and its printers."""
    return fleet.shown(desk)


@router.get("/api/why")
def get_why(desk: TheDesk) -> dict[str, Any]:
    """What cannot be judged, and what to do."""
    return {"printers": fleet.why(desk)}


@router.get("/api/jobs")
def get_jobs(desk: TheDesk, printer: shapes.SomePrinter = "") -> dict[str, Any]:
    """Jobs, the newest first."""
    return {"jobs": jobs.listed(desk, printer)}


@router.get("/api/job")
def get_job(desk: TheDesk, printer: shapes.Printer, job: shapes.Job) -> dict[str, Any]:
    """One job with its layers, alarms and cores."""
    return jobs.shown(desk, printer, job)


@router.get("/api/picture", response_class=Response, responses={200: {"content": {"image/png": {}}}})
def get_picture(
    desk: TheDesk,
    request: Request,
    printer: shapes.Printer,
    job: shapes.Job,
    layer: shapes.LayerNumber,
    kind: shapes.Picture = "frame",
) -> Response:
    """A layer as a PNG picture."""
    one = pictures.layer_of(desk, printer, job, layer)
    headers = {"ETag": pictures.tag(one, kind), "Cache-Control": _FOR_EVER}
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    drawn = pictures.picture(desk, one, kind)
    if drawn.scale is not None:
        low, high = f"{drawn.scale.low:.6g}", f"{drawn.scale.high:.6g}"
        headers |= {"X-Low": low, "X-High": high, "X-Unit": drawn.scale.unit}
    return Response(drawn.png, headers=headers, media_type="image/png")


@router.get("/api/scale")
def get_scale(desk: TheDesk, printer: shapes.Printer, job: shapes.Job, layer: shapes.LayerNumber) -> dict[str, Any]:
    """What the colours of a frame mean."""
    return asdict(pictures.scale_of(desk, pictures.layer_of(desk, printer, job, layer)))


@router.get("/api/alarms")
def get_alarms(desk: TheDesk, every: bool = False) -> dict[str, Any]:
    """Open alarms, or all."""
    return {"alarms": alarms.listed(desk, every=every)}


@router.post("/api/alarms/act")
def act(desk: TheDesk, who: Asking, said: shapes.Act) -> dict[str, Any]:
    """Acknowledge, shelve, unshelve or comment an alarm."""
    try:
        return alarms.act(desk, said.name, said.action, who.name, said.comment, said.minutes)
    except UsageError as error:
        raise HTTPException(409, str(error)) from None


@router.get("/api/feedback")
def get_feedback(desk: TheDesk, printer: shapes.Printer, job: shapes.Job) -> dict[str, Any]:
    """Labels that people gave to a job's layers."""
    return {"labels": feedback.labels(desk, printer, job)}


@router.post("/api/feedback")
def give_feedback(desk: TheDesk, who: Asking, said: shapes.Feedback) -> dict[str, Any]:
    """Say that a verdict is right or wrong."""
    return {"number": feedback.keep(desk, said, who.name)}


@router.get("/api/models")
def get_models(desk: TheDesk, printer: shapes.Printer) -> dict[str, Any]:
    """Which model judges a printer, and which others there are."""
    return models.shown(desk, printer)


@router.post("/api/models/change")
def change_models(desk: TheDesk, who: Asking, said: shapes.Change) -> dict[str, Any]:
    """Another model or line for the printer's next job."""
    try:
        text = models.change(desk, said, who.name)
    except UsageError as error:
        raise HTTPException(409, str(error)) from None
    return {**models.shown(desk, said.printer), "text": text}


@router.get("/api/part", response_class=Response, responses={200: {"content": {"model/stl": {}}}})
def get_part(desk: TheDesk, printer: shapes.Printer, job: shapes.Job) -> Response:
    """The job's parts as binary STL, where they lie on the bed, in mm."""
    jobs.found_job(desk, printer, job)
    found = desk.part(printer, job)
    if found is None:
        raise NotThereError(f"no mesh of the job {job!r} is known")
    return Response(found, media_type="model/stl")


@router.get("/api/report", response_class=Response)
def get_report(desk: TheDesk, printer: shapes.Printer, job: shapes.Job, form: shapes.Form = "pdf") -> Response:
    """The build report of a job as a file."""
    jobs.found_job(desk, printer, job)
    found = desk.report(printer, job, form)
    if found is None:
        raise NotThereError(f"no report as {form} can be written here")
    name = {"Content-Disposition": f'attachment; filename="{safe(job)}.{form}"'}
    return Response(found, headers=name, media_type=_TYPES.get(form, "application/json"))


@router.get("/api/audit")
def get_audit(desk: TheDesk, after: shapes.After = 0) -> dict[str, Any]:
    """What people did, in order."""
    told = desk.journal.told(after, _MOST_ROWS, "audit")
    return {"rows": [one.as_json() for one in told], "last": told[-1].number if told else after}


@router.get("/api/events", response_class=StreamingResponse, responses={200: {"content": {"text/event-stream": {}}}})
def get_events(desk: TheDesk, request: Request, after: shapes.After | None = None) -> StreamingResponse:
    """The journal's messages as they come; after the Last-Event-ID, else after ``after``, else from now on."""
    resumed = events.resumed(request.headers.get("last-event-id", ""))
    begin = next((one for one in (resumed, after) if one is not None), None)
    told = events.stream(desk, last_number(desk.journal) if begin is None else begin)
    return StreamingResponse(told, headers={"X-Accel-Buffering": "no"}, media_type="text/event-stream")


@router.get("/openapi.json", include_in_schema=False)
def openapi(request: Request) -> dict[str, Any]:
    """The interface itself, as an OpenAPI document."""
    told: dict[str, Any] = request.app.openapi()
    return told
