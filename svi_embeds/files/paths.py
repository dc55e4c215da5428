"""Names of files and folders that others chose: what keeps one inside the folder it is joined to, on every system."""

from __future__ import annotations

import re

_DEVICE = re.compile(r"con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[\d¹²³]", re.IGNORECASE)
_DRIVE = re.compile(r"[A-Za-z]:")
_UP = re.compile(r"[. ]*\.[ ]*\.[. ]*")  # Windows drops dots and blanks at the end of a name: ".. " is ".."


def is_device(part: str) -> bool:
    """Whether Windows keeps a name for a device, whatever follows it behind a dot."""
    return _DEVICE.fullmatch(re.split(r"[.:]", part, maxsplit=1)[0].strip(" ")) is not None


def leads_out(name: str) -> bool:
    """Whether a name, folders in front allowed, is or could be more than a place inside the folder it is joined to.

    True for absolute paths, drives, network shares, `..` and Windows' devices, on every system: a graph is made on one
    and opened on another. Neither the disk nor the network is asked, since asking for a share sends it a password's
    hash. Links are not seen: resolve what passes.
    """
    parts = name.replace("\\", "/").split("/")
    starts_at_root = len(parts) > 1 and not parts[0]
    return starts_at_root or bool(_DRIVE.match(name)) or any(_UP.fullmatch(part) or is_device(part) for part in parts)
