#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes mho's real test network: renders labelled images of twelve shapes, trains a ResNet-20 on them, quantises it to 8 bits and measures it.

Rendering needs python3-numpy; training python3-torch and python3-onnx, evaluating python3-onnx, all as Debian packages them.
"""
import argparse
import json
import sys
import time
from pathlib import Path

EXECUTOR_FOLDER = Path(__file__).resolve().parent.parent / "testbenches" / "reference"
CALIBRATION_IMAGES = 2000


def render_command(arguments):
    """`render`: a labelled test set as two ONNX tensors."""
    from shapes_files import contact_sheet, write_png, write_tensor
    from shapes_renderer import render
    images, labels = render(arguments.count, arguments.seed)
    arguments.out.mkdir(parents=True, exist_ok=True)
    write_tensor(arguments.out / "images.pb", "image", images)
    write_tensor(arguments.out / "labels.pb", "labels", labels)
    if arguments.sheet:
        write_png(arguments.sheet, contact_sheet(images, labels, rows=6))


def train_command(arguments):
    """`train`: renders the training set, trains, folds, calibrates, quantises; writes the models, the float weights and the facts."""
    import numpy as np
    import onnx
    from resnet20_quantiser import quantised_model
    from resnet20_training import calibrate, export_float, fold_batch_norm, train
    from shapes_renderer import render
    start = time.monotonic()
    images, labels = render(arguments.images, arguments.seed)
    print(f"rendered {len(images)} training images in {time.monotonic() - start:.0f} s", flush=True)
    network = train(images, labels, arguments.epochs, arguments.seed, arguments.threads)
    parameters = fold_batch_norm(network)
    model = quantised_model(parameters, calibrate(parameters, images[:CALIBRATION_IMAGES]))
    arguments.out.mkdir(parents=True, exist_ok=True)
    export_float(network, arguments.out / "float.onnx")
    onnx.save(model, str(arguments.out / "model.onnx"))
    np.savez(arguments.out / "float_weights.npz", **parameters)
    facts = {"seed": arguments.seed, "training_images": len(images), "epochs": arguments.epochs, "threads": arguments.threads,
             "calibration_images": CALIBRATION_IMAGES, "time_s": round(time.monotonic() - start), "cpu_time_s": round(time.process_time())}
    (arguments.out / "recipe.json").write_text(json.dumps(facts, indent=2) + "\n")
    print(json.dumps(facts))


def frequent_errors(answers, labels, count):
    """The most frequent confusions as text, in percent of the images of the true class."""
    import numpy as np
    from shapes_outlines import CLASS_NAMES
    table = np.zeros([len(CLASS_NAMES)] * 2, int)
    np.add.at(table, (labels, answers), 1)
    images_of_class = table.sum(axis=1)
    np.fill_diagonal(table, 0)
    for worst in np.argsort(-table, axis=None)[:count]:
        true, answer = divmod(int(worst), len(CLASS_NAMES))
        yield f"{CLASS_NAMES[true]} taken for {CLASS_NAMES[answer]} {table[true, answer] / max(1, images_of_class[true]) * 100:.0f} %"


def evaluate_command(arguments):
    """`evaluate`: accuracy of the quantised model in the numpy executor, and of the float weights where they are given."""
    sys.path.insert(0, str(EXECUTOR_FOLDER))
    import numpy as np
    from numpy_executor import Model, read_tensor, run_in_batches
    images, labels = read_tensor(arguments.images), read_tensor(arguments.labels)
    answers = run_in_batches(Model(arguments.model), {"image": images}, arguments.batch)["logits"].argmax(axis=1)
    print(f"quantised accuracy: {np.mean(answers == labels) * 100:.2f} % of {len(labels)} images")
    print("most frequent errors: " + ", ".join(frequent_errors(answers, labels, 6)))
    if arguments.float:
        from resnet20_training import float_accuracy
        accuracy = float_accuracy(dict(np.load(arguments.float)), images, labels)
        print(f"float accuracy:     {accuracy * 100:.2f} % of {len(labels)} images")


def add_render(commands):
    command = commands.add_parser("render", help="render a labelled test set", description=(
        "Renders images of the twelve shapes and writes images.pb (uint8 [N, 3, 32, 32]) and labels.pb (int64 [N]), both ONNX TensorProto. "
        "The same seed gives the same images, and the first N do not depend on --count. Needs numpy only."))
    command.add_argument("--count", type=int, required=True, metavar="N", help="number of images")
    command.add_argument("--seed", type=int, required=True, help="test sets: any seed but the one of training (20)")
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write into; made if missing")
    command.add_argument("--sheet", type=Path, metavar="FILE.png", help="also draw a contact sheet, one column a class")
    command.set_defaults(run=render_command)


def add_train(commands):
    command = commands.add_parser("train", help="train, quantise and export the network", description=(
        "Renders its own training images, trains ResNet-20 in float, folds batch normalisation, takes activation ranges from "
        f"{CALIBRATION_IMAGES} training images, quantises and writes model.onnx, float.onnx (as PyTorch exports it), "
        "float_weights.npz and recipe.json (seed, images, epochs, time)."))
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write into; made if missing")
    command.add_argument("--images", type=int, default=40000, help="training images to render (default %(default)s)")
    command.add_argument("--epochs", type=int, default=4, help="passes over them (default %(default)s)")
    command.add_argument("--seed", type=int, default=20, help="of images, initial weights and order (default %(default)s)")
    command.add_argument("--threads", type=int, default=2, help="threads of PyTorch; another number may round differently (default %(default)s)")
    command.set_defaults(run=train_command)


def add_evaluate(commands):
    command = commands.add_parser("evaluate", help="measure the accuracy of a model", description=(
        "Runs the quantised model on labelled images with testbenches/reference/numpy_executor.py, integer for integer what the accelerator must give."))
    command.add_argument("model", type=Path, metavar="MODEL", help="quantised ONNX model that `train` wrote")
    command.add_argument("--images", type=Path, required=True, metavar="FILE", help="images.pb that `render` wrote")
    command.add_argument("--labels", type=Path, required=True, metavar="FILE", help="labels.pb that `render` wrote")
    command.add_argument("--float", type=Path, metavar="FILE", help="float_weights.npz of the same training, to compare with (needs PyTorch)")
    command.add_argument("--batch", type=int, default=100, help="images computed at a time (default %(default)s)")
    command.set_defaults(run=evaluate_command)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, epilog=(
        "example, from nothing to an accuracy:\n"
        "  resnet20_shapes.py train --out trained\n"
        "  resnet20_shapes.py render --count 10000 --seed 2020 --out test_set\n"
        "  resnet20_shapes.py evaluate trained/model.onnx --images test_set/images.pb --labels test_set/labels.pb \\\n"
        "                     --float trained/float_weights.npz"))
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for add in (add_render, add_train, add_evaluate):
        add(commands)
    arguments = parser.parse_args()
    try:
        arguments.run(arguments)
    except ModuleNotFoundError as error:
        print(f"the Python package {error.name} is missing (apt install python3-{error.name})", file=sys.stderr)
        return 2
    except OSError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
