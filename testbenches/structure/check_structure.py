#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Checks what the layers of the project promise: includes point down only, libraries stay where they belong, only
the IEEE API of SystemC is named, every source has its licence line and no file outgrows a reader."""
import argparse
import pathlib
import re
import sys
import tempfile

# A folder may include itself and the folders named after it.
LAYERS = {
    "models/arithmetic": [],
    "models/dnn": ["models/arithmetic"],
    "models/dnn/quantisation": ["models/dnn", "models/arithmetic"],
    "models/dnn/synthetic": ["models/dnn", "models/arithmetic"],
    "models/dnn/onnx": ["models/dnn/quantisation", "models/dnn"],
    "models/mapping": ["models/dnn", "models/arithmetic"],
    "models/observe": ["models/arithmetic"],
    "models/tlm": ["models/observe"],
    "models/pim": ["models/tlm", "models/observe", "models/mapping", "models/dnn", "models/arithmetic"],
    "platforms": ["platforms/observe", "models/pim", "models/tlm", "models/observe", "models/mapping", "models/dnn",
                  "models/arithmetic"],
    "platforms/config": [],
    "platforms/observe": ["platforms/config", "models/observe"],
    "platforms/cost": ["platforms/config", "platforms", "models/observe", "models/mapping", "models/dnn",
                       "models/arithmetic"],
    "platforms/scenario": ["platforms/cost", "platforms/config", "platforms/observe", "platforms", "models/mapping",
                           "models/dnn", "models/dnn/onnx", "models/dnn/synthetic", "models/arithmetic"],
    "platforms/report": ["platforms/scenario", "platforms/cost", "platforms/config", "platforms/observe", "platforms",
                         "models/observe", "models/mapping", "models/dnn", "models/dnn/onnx"],
    "platforms/program": ["platforms/report", "platforms/scenario", "platforms/cost", "platforms/config",
                          "platforms/observe", "platforms",
                          "models/pim", "models/tlm", "models/observe", "models/mapping", "models/dnn", "models/dnn/onnx",
                          "models/dnn/quantisation"],
    "platforms/program/main": ["platforms/program"],
}
BELOW_ALL = {"models/input_error.h"}
# Header prefixes of a library and the only folders that may include them.
LIBRARIES = {
    ("systemc", "tlm", "tlm_utils/"): {"models/observe", "models/tlm", "models/pim", "platforms", "platforms/observe",
                                        "platforms/program", "platforms/program/main"},
    ("yaml-cpp/",): {"platforms/config"},
    ("onnx/", "google/protobuf/"): {"models/dnn/onnx"},
    ("dnnl", "oneapi/"): {"models/arithmetic"},
    ("boost/program_options", "nlohmann/"): {"platforms/program", "platforms/report"},
}
NOT_IEEE = re.compile(r"\b(sc_get_curr_simcontext|sc_curr_simcontext|sc_simcontext|sc_core_version|sc_dt::sc_io_base|"
                      r"sc_cor|sc_process_b|sc_ppq|SC_HAS_PROCESS_NAME|tlm_array|sc_phash|sc_list)\b")
TOP_LEVEL = {"CMakeLists.txt", "CMakePresets.json", "LICENSE", "README.md", "models", "platforms", "scenarios",
             "testbenches", "scripts", "build"}
SOURCES = {".h", ".cpp", ".py", ".cmake", ".yaml"}
LONGEST = 400


def folder_of(path):
    """The layer that a file of models or platforms belongs to: the longest known folder above it."""
    matches = [layer for layer in LAYERS if path == layer or path.startswith(layer + "/")]
    return max(matches, key=len, default=None)


def include_violations(name, text):
    layer = folder_of(name)
    if layer is None:
        return
    for number, line in enumerate(text.splitlines(), 1):
        quoted = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
        if quoted and quoted[1] not in BELOW_ALL:
            target = folder_of(quoted[1])
            if target is None or (target != layer and target not in LAYERS[layer]):
                yield f"{name}:{number}: {layer} must not include {quoted[1]}"
        angled = re.match(r"\s*#\s*include\s+<([^>]+)>", line)
        for prefixes, folders in LIBRARIES.items() if angled else ():
            if angled[1].startswith(prefixes) and layer not in folders:
                yield f"{name}:{number}: {layer} must not include <{angled[1]}>"
        if NOT_IEEE.search(line):
            yield f"{name}:{number}: not part of the IEEE 1666 API: {NOT_IEEE.search(line)[0]}"


def source_violations(name, text):
    lines = text.splitlines()
    if not any("SPDX-License-Identifier: Apache-2.0" in line for line in lines[:2]):
        yield f"{name}:1: no SPDX line"
    if len(lines) > LONGEST and not name.endswith(".yaml"):
        yield f"{name}: {len(lines)} lines, at most {LONGEST}"


def violations(root):
    for entry in sorted(root.iterdir()):
        if not entry.name.startswith(".") and entry.name not in TOP_LEVEL:
            yield f"{entry.name}: does not belong on the top level"
    for top in ("models", "platforms", "testbenches", "scripts", "scenarios"):
        for path in sorted((root / top).rglob("*")):
            if path.suffix not in SOURCES or not path.is_file() or {"__pycache__", ".slicing"} & set(path.parts):
                continue
            name, text = path.relative_to(root).as_posix(), path.read_text(encoding="utf-8")
            yield from source_violations(name, text)
            if path.suffix in {".h", ".cpp"}:
                yield from include_violations(name, text)


SPDX = "// SPDX-License-Identifier: Apache-2.0\n"
SAMPLES = {
    "models/arithmetic/a.cpp": (SPDX + '#include "models/dnn/graph.h"\n', "must not include models/dnn/graph.h"),
    "models/tlm/b.h": (SPDX + '#include "models/pim/batch.h"\n', "must not include models/pim"),
    "models/mapping/c.cpp": (SPDX + "#include <systemc>\n", "must not include <systemc>"),
    "models/pim/d.cpp": (SPDX + "#include <yaml-cpp/yaml.h>\n", "must not include <yaml-cpp"),
    "models/pim/e.cpp": (SPDX + "auto* c = sc_core::sc_get_curr_simcontext();\n", "not part of the IEEE"),
    "models/pim/f.cpp": ("int f();\n", "no SPDX line"),
    "models/pim/g.cpp": (SPDX + "\n" * LONGEST, "at most"),
    "notes.txt": ("", "does not belong on the top level"),
    "models/pim/fine.cpp": (SPDX + '#include "models/tlm/memory.h"\n#include <systemc>\n', None),
}


def self_test():
    """Every rule bites on a sample that breaks it, and leaves a good file alone."""
    for name, (text, expected) in SAMPLES.items():
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            found = list(violations(pathlib.Path(folder)))
            if (expected is None) != (not found) or (expected and not any(expected in line for line in found)):
                return [f"self-test: {name} gave {found}, expected {expected}"]
    return []


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=pathlib.Path, help="the project's root")
    arguments = parser.parse_args()
    found = self_test() + list(violations(arguments.root))
    print("\n".join(found) if found else "the structure holds")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
