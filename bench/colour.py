"""What holding colours does to chains of 20 clips: drift and seams of those that drift, and what it changes in those
that do not, as tables.

PYTHONPATH=tests/support python bench/colour.py
"""

from __future__ import annotations

from drift_scenes import DRIFTS, SCENES, UNDRIFTED, harm, jump, measured, run_chain

METHODS = ("off", "mean_std", "histogram", "mkl")


def main() -> None:
    print("| scene | each clip adds | method | drift of it | drift, all | largest seam | largest jump | worse by |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for scene, picture in SCENES.items():
        for name, inject in DRIFTS.items():
            free = measured(run_chain(picture(), inject))
            for method in METHODS:
                found = free if method == "off" else measured(run_chain(picture(), inject, method=method))
                own = abs(getattr(found.change(19), name))
                jumps = [jump(seam) for seam in found.seams]
                worse = max(each - jump(other) for each, other in zip(jumps, free.seams, strict=True))
                print(
                    f"| {scene} | {name} | `{method}` | {own:.2f} | {found.drift:.2f} | {found.seam:.1f} | "
                    f"{max(jumps):.2f} | {worse:.2f} |"
                )
    print()
    print("| no drift, but | method | frame changed by, mean | pixel changed by, most |")
    print("| --- | --- | --- | --- |")
    for name, scene_of in UNDRIFTED.items():
        for method in METHODS[1:]:
            mean, most = harm(scene_of, method)
            print(f"| {name} | `{method}` | {mean:.2f} | {most:.1f} |")


if __name__ == "__main__":
    main()
