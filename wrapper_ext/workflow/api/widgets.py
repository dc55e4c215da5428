"""What the widgets of a saved node hold, by name, in the order in which the frontend makes them of `/object_info`."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from typing import Any, NamedTuple

from ..model.link import as_list

_EMPTY: dict[str, Any] = {"INT": 0, "FLOAT": 0, "STRING": "", "BOOLEAN": False, "COLOR": "#000000"}
_DYNAMIC, _GROWS, _MATCHES = "COMFY_DYNAMICCOMBO_V3", "COMFY_AUTOGROW_V3", "COMFY_MATCHTYPE_V3"
_PLAIN = {*_EMPTY, "COMBO", _DYNAMIC}
# Widgets that the frontend draws, counts or asks for by code of its own.
_FRONTEND = {
    "AUDIO_RECORD", "BOUNDING_BOX", "BOUNDING_BOXES", "CAMERA_ANGLE_VIEW", "CAMERA_INFO_STATE", "CHART", "COLORS",
    "COMFY_BRANCH_INPUT_NAMES", "COMFY_BRANCH_SELECTOR", "COMFY_DYNAMICGROUP_V3", "COMPOSITOR", "CURVE", "GALLERIA",
    "IMAGECOMPARE", "LIGHT_INFO_PREVIEW", "LOAD_3D", "LOAD_3D_ADVANCED", "MARKDOWN", "PAINTER", "PREVIEW_3D", "RANGE",
    "RESOLUTION_PREVIEW", "TEXTAREA", "VIDEO_EDIT", "WEBCAM",
}  # fmt: skip
_FRONTEND_NODES = {"CustomCombo"}  # which have widgets that the host does not tell of
_BUTTON = "Update inputs"  # of KJNodes, whose script adds it; sent like a widget

_Take = Callable[[str, Any], Any]


class Spec(NamedTuple):
    """An input as a host declares it. kind: the type of its link; "COMBO" for a list of values."""

    name: str
    kind: str
    options: Mapping[str, Any]

    @property
    def widget(self) -> str:
        """The kind of its widget; "" for a socket."""
        kind = str(self.options.get("widgetType") or self.kind)
        return kind if kind in _PLAIN | _FRONTEND and not self.options.get("forceInput") else ""

    @property
    def default(self) -> Any:
        if self.widget == "COMBO":
            values = as_list(self.options.get("options"))
            if self.options.get("multi_select"):
                return self.options.get("default") or []
            return self.options.get("default") or (values[0] if values else None)
        given = self.options.get("default")
        return _EMPTY.get(self.widget) if given is None else given

    @property
    def controls(self) -> int:
        """How many widgets the frontend puts behind it that say what becomes of the value after a run."""
        asked = self.options.get("control_after_generate")
        if self.widget == "INT":
            return int(self.name in ("seed", "noise_seed") if asked is None else bool(asked))
        return {"FLOAT": 1, "COMBO": 2}.get(self.widget, 0) if asked else 0


def read_spec(name: str, raw: Any) -> Spec:
    """An input of `/object_info`: [type or list of values, options]."""
    options = raw[1] if len(raw) > 1 and isinstance(raw[1], dict) else {}
    if isinstance(raw[0], list):
        return Spec(name, "COMBO", {**options, "options": raw[0]})
    return Spec(name, str(raw[0]), options)


def read_specs(groups: Mapping[str, Any], order: Mapping[str, Any], prefix: str = "") -> list[Spec]:
    """The required inputs and then the optional ones, each as `order` has them."""
    specs = []
    for group in ("required", "optional"):
        inputs = groups.get(group) or {}
        first = [name for name in as_list(order.get(group)) if name in inputs]
        specs += [
            read_spec(prefix + name, inputs[name]) for name in [*first, *(each for each in inputs if each not in first)]
        ]
    return specs


def declared(definition: Mapping[str, Any]) -> list[Spec]:
    """The inputs of a node of `/object_info`, but the hidden ones, which the server fills in."""
    return read_specs(definition.get("input") or {}, definition.get("input_order") or {})


def of_option(spec: Spec, value: Any) -> list[Spec]:
    """The inputs that a widget brings for the value it holds: a dynamic combo's, or a format's of VideoHelperSuite."""
    formats = spec.options.get("formats")
    if isinstance(formats, dict):
        return [read_spec(entry[0], entry[1:]) for entry in formats.get(value, ())] if isinstance(value, str) else []
    if spec.widget != _DYNAMIC:
        return []
    chosen: list[Any] = [each for each in as_list(spec.options.get("options")) if each.get("key") == value]
    return read_specs(chosen[0].get("inputs") or {}, {}, f"{spec.name}.") if chosen else []


def _walk(specs: list[Spec], take: _Take) -> Iterator[tuple[Spec, Any]]:
    for spec in specs:
        if not spec.widget:
            continue
        default = spec.default
        if spec.widget == _DYNAMIC:
            keys = [each.get("key") for each in as_list(spec.options.get("options"))]
            default = keys[0] if keys else None
        value = take(spec.name, default)
        if value is None and spec.widget in ("COMBO", _DYNAMIC):
            value = default
        yield spec, value
        for _ in range(spec.controls):
            take("", None)
        yield from _walk(of_option(spec, value), take)


def _without_forced(definition: Mapping[str, Any], values: list[Any]) -> list[Any]:
    """The values without those of inputs that take links only, which frontends before 1.16 saved as well."""
    forced = []
    for spec in read_specs(definition.get("input") or {}, {}):
        only_link = bool(spec.options.get("forceInput"))
        if spec.widget or only_link:
            forced += [only_link, False] if spec.options.get("control_after_generate") else [only_link]
    if len(forced) != len(values):
        return values
    return [value for value, only_link in zip(values, forced, strict=True) if not only_link]


def _taker(definition: Mapping[str, Any], saved: Any) -> _Take:
    if isinstance(saved, dict):  # by name, as VideoHelperSuite saves them
        return lambda name, default: saved.get(name, default)
    values = iter(_without_forced(definition, as_list(saved)))
    return lambda _, default: next(values, default)


def widget_values(definition: Mapping[str, Any], saved: Any) -> dict[str, tuple[Spec, Any]]:
    """What each widget is and holds, by name. saved: `widgets_values`; what it lacks has its default."""
    found = {spec.name: (spec, value) for spec, value in _walk(declared(definition), _taker(definition, saved))}
    if "inputcount" in found and "KJNodes" in str(definition.get("python_module")):
        found[_BUTTON] = Spec(_BUTTON, "", {}), None
    return found


def frontends_own(
    kind: str, definition: Mapping[str, Any], values: Mapping[str, tuple[Spec, Any]], shown: Container[str]
) -> str:
    """Why only the frontend knows how to read a node's widgets; "" when that is not so.

    shown: inputs without a link that were saved with a widget, which a pack's script makes of a type of its own.
    """
    if kind in _FRONTEND_NODES:
        return "its widgets are the frontend's own"
    for spec in [*declared(definition), *(each for pair in values.values() for each in (pair[0], *of_option(*pair)))]:
        if spec.kind == _GROWS and any(grown.widget for grown in _grown(spec)):
            return f"{spec.name} is a row of widgets that the frontend counts"
        plain = spec.widget or spec.kind in _PLAIN | {_GROWS, _MATCHES}
        if spec.widget in _FRONTEND or (not plain and spec.name in shown):
            return f"{spec.name} is a widget of the frontend's own ({spec.kind})"
    return ""


def _grown(spec: Spec) -> list[Spec]:
    return read_specs((spec.options.get("template") or {}).get("input") or {}, {})


def slots(definition: Mapping[str, Any], values: Mapping[str, tuple[Spec, Any]]) -> Iterator[tuple[str, str]]:
    """(name, type) of a node's inputs in the frontend's order: sockets, then widgets."""
    specs = declared(definition)
    for spec in specs:
        if spec.kind == _GROWS:
            template = spec.options.get("template") or {}
            for index in range(template.get("min", 1) + 1):
                yield from _grow(spec, template, index)
        elif not spec.widget:
            yield spec.name, _type(spec)
    for spec, value in values.values():
        if spec.widget:
            yield spec.name, spec.kind
        yield from ((each.name, _type(each)) for each in of_option(spec, value) if not each.widget)


def _grow(spec: Spec, template: Mapping[str, Any], index: int) -> Iterator[tuple[str, str]]:
    names, inputs = as_list(template.get("names")), _grown(spec)
    for each in inputs:
        start = template.get("prefix", "") if len(inputs) == 1 else each.name
        if not names or index < len(names):
            yield f"{spec.name}.{names[index] if names else f'{start}{index}'}", _type(each)


def _type(spec: Spec) -> str:
    return str((spec.options.get("template") or {}).get("allowed_types", "*")) if spec.kind == _MATCHES else spec.kind
