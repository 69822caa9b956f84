"""An opened picture -> what it says beside its pixels (camera, time, description), as short texts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from PIL import ExifTags, Image

_MAX_TEXT = 2000  # characters
_IN_IMAGE = (
    ExifTags.Base.ImageDescription,
    ExifTags.Base.Make,
    ExifTags.Base.Model,
    ExifTags.Base.Software,
    ExifTags.Base.DateTime,
)
_IN_EXIF = (
    ExifTags.Base.DateTimeOriginal,
    ExifTags.Base.DateTimeDigitized,
    ExifTags.Base.SubsecTimeOriginal,
    ExifTags.Base.OffsetTimeOriginal,
    ExifTags.Base.UserComment,
)
_IN_TEXT = ("Description", "Comment", "Title", "Software", "Source", "Creation Time")  # of a PNG file


def read_tags(image: Image.Image) -> Mapping[str, str]:
    """The tags that tell where a frame came from; a broken block of tags is as good as none."""
    found: dict[str, str] = {key: image.info[key] for key in _IN_TEXT if isinstance(image.info.get(key), str)}
    try:
        exif = image.getexif()
        inside = exif.get_ifd(ExifTags.IFD.Exif) if ExifTags.IFD.Exif in exif else {}
        for tags, numbers in ((exif, _IN_IMAGE), (inside, _IN_EXIF)):
            found |= {number.name: as_text(tags[number]) for number in numbers if number in tags}
    except Exception:  # whatever a broken block makes of the parser
        found.pop("", None)
    return {key: text for key, value in found.items() if (text := value[:_MAX_TEXT].strip())}


def as_text(value: object) -> str:
    """A tag's value without its padding and without what cannot be printed."""
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return "".join(c for c in text.removeprefix("ASCII").replace("\0", "") if c.isprintable() or c in "\n\t")


def time_of(tags: Mapping[str, str]) -> datetime | None:
    """The exposure; with a zone only where the file names one. The time of a last change is none."""
    text = tags.get("DateTimeOriginal") or tags.get("DateTimeDigitized", "")
    try:
        moment = datetime.strptime(text[:19], "%Y:%m:%d %H:%M:%S")
        if digits := "".join(c for c in tags.get("SubsecTimeOriginal", "") if c.isdigit())[:6]:
            moment = moment.replace(microsecond=int(digits.ljust(6, "0")))
        zone = tags.get("OffsetTimeOriginal", "")
        return datetime.fromisoformat(f"{moment.isoformat()}{zone}") if zone else moment
    except ValueError:
        return None
