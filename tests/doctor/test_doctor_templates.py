"""What `wanvideo-svi doctor` says of the files that the example workflows load."""

from __future__ import annotations

import json

import pytest
from project import ROOT
from wanvideo_svi.wrapper_ext.doctor.finding import Finding
from wanvideo_svi.wrapper_ext.doctor.templates import ModelFile, model_files, template_findings, wanted
from workflow_files import HOLOCINE, SVI_LORA, VAE

EXAMPLES = {path.stem: path for path in (ROOT / "example_workflows").glob("*.json")}
ALL_THERE = wanted()


def said(found: list[Finding], status: str, topic: str) -> list[str]:
    return [finding.text for finding in found if (finding.status, finding.topic) == (status, topic)]


def without(name: str) -> dict[str, list[str]]:
    return {folder: [each for each in names if each != name] for folder, names in ALL_THERE.items()}


@pytest.mark.parametrize("template", EXAMPLES)
def test_every_file_of_an_example_is_known_with_its_folder(template: str) -> None:
    nodes = json.loads(EXAMPLES[template].read_text())["nodes"]
    values = {str(value) for node in nodes for value in node["widgets_values"]}
    files = {value for value in values if value.endswith(".safetensors")}
    models = {model["name"]: model for node in nodes for model in node["properties"].get("models", [])}
    known = {file.name: file for file in model_files() if template in file.templates}
    assert set(known) == files
    for name, model in models.items():
        assert (known[name].folder, known[name].url) == (model["directory"], model["url"])


NATIVE = "long_video_native_svi2_pro"  # loads nothing that the others do, but a LoRA


def test_a_file_is_one_entry_however_many_examples_load_it() -> None:
    (vae,) = (file for file in model_files() if file.name == VAE)
    assert set(vae.templates) == set(EXAMPLES) - {NATIVE}
    assert len({(file.folder, file.name) for file in model_files()}) == len(model_files())


def test_a_file_without_an_address_has_the_folder_of_its_loader() -> None:
    (found,) = (file for file in model_files() if file.name == HOLOCINE)
    assert found == ModelFile(HOLOCINE, "diffusion_models", "", ("holocine_pusa_magref_pair",))
    (line,) = said(list(template_findings(without(HOLOCINE))), "note", "model")
    assert line.startswith(f"not in models/diffusion_models: {HOLOCINE}; the note in the example says where to get it")
    (note,) = (
        node["widgets_values"][0]
        for node in json.loads(EXAMPLES["holocine_pusa_magref_pair"].read_text())["nodes"]
        if node["type"] == "MarkdownNote"
    )
    assert "huggingface.co" in note


def test_all_files_there_are_all_examples_well() -> None:
    found = list(template_findings(ALL_THERE))
    assert {finding.status for finding in found} == {"ok"}
    (line,) = said(found, "ok", "example")
    assert all(template in line for template in EXAMPLES)
    assert len(said(found, "ok", "model")) == len(ALL_THERE)
    assert all(name in " ".join(said(found, "ok", "model")) for names in ALL_THERE.values() for name in names)


def test_a_missing_file_is_named_once_with_folder_address_and_examples() -> None:
    name = SVI_LORA["talk"]
    found = list(template_findings(without(name)))
    (line,) = said(found, "note", "model")
    (file,) = (file for file in model_files() if file.name == name)
    assert line == f"not in models/loras: {file.url} (for long_video_talk, svi_talk_chain)"
    assert file.url.endswith(f"/{name}")
    (lacking,) = said(found, "note", "example")
    assert lacking == "these lack files: long_video_talk (1 of 7), svi_talk_chain (1 of 8)"
    (whole,) = said(found, "ok", "example")
    assert "svi_film_chain" in whole
    assert "svi_talk_chain" not in whole


def test_a_file_that_nearly_all_examples_lack_does_not_name_them_all() -> None:
    (line,) = said(list(template_findings(without(VAE))), "note", "model")
    assert line.endswith(f"(for all examples but {NATIVE})")


@pytest.mark.parametrize("place", ["WanVideo/{}", "WanVideo\\{}"])
def test_a_file_in_a_sub_folder_is_there_under_another_name(place: str) -> None:
    there = without(VAE)
    there["vae"].append(place.format(VAE))
    (line,) = said(list(template_findings(there)), "note", "model")
    assert f"in models/vae it is {place.format(VAE)}: pick that in the example" in line


def test_nothing_there_is_a_line_for_each_file_and_no_problem() -> None:
    found = list(template_findings({}))
    assert len(said(found, "note", "model")) == len(model_files())
    assert {finding.status for finding in found} == {"note"}
