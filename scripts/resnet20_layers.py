# SPDX-License-Identifier: Apache-2.0
"""ResNet-20 for 32x32 images as a plain list of layers (He et al. 2016, section 4.2).

Training, quantisation and export all walk through this one description.
Where a stage changes the shape, the shortcut is a 1x1 convolution of stride 2 (option B of the paper); elsewhere it is the block's input itself.
"""
from typing import NamedTuple, Tuple

IMAGE = "image"
LOGITS = "logits"
CLASSES = 12
STAGE_CHANNELS = (16, 32, 64)
BLOCKS_PER_STAGE = 3


class Layer(NamedTuple):
    """One layer; the tensor it makes has the layer's name (the last one is called `logits`)."""
    kind: str                   # conv, add, average (global), linear
    name: str
    inputs: Tuple[str, ...]     # names of tensors
    channels: Tuple[int, int] = (0, 0)  # in, out; for conv and linear
    kernel: int = 0             # height and width of the convolution
    stride: int = 1
    relu: bool = False

    @property
    def pad(self):
        """Zeros on each side, so that stride 1 keeps the size."""
        return self.kernel // 2

    @property
    def has_weights(self):
        return self.kind in ("conv", "linear")


def block_layers(name, source, channels_in, channels_out):
    """Two 3x3 convolutions, the shortcut, and the sum of both."""
    stride = 1 if channels_in == channels_out else 2
    first, second, shortcut = f"{name}.conv1", f"{name}.conv2", source
    yield Layer("conv", first, (source,), (channels_in, channels_out), 3, stride, relu=True)
    yield Layer("conv", second, (first,), (channels_out, channels_out), 3)
    if stride == 2:
        shortcut = f"{name}.shortcut"
        yield Layer("conv", shortcut, (source,), (channels_in, channels_out), 1, stride)
    yield Layer("add", f"{name}.add", (second, shortcut), relu=True)


def resnet20_layers():
    """All layers in the order of execution."""
    layers = [Layer("conv", "stem.conv", (IMAGE,), (3, STAGE_CHANNELS[0]), 3, relu=True)]
    channels = STAGE_CHANNELS[0]
    for stage, channels_out in enumerate(STAGE_CHANNELS, start=1):
        for block in range(BLOCKS_PER_STAGE):
            layers.extend(block_layers(f"stage{stage}.block{block}", layers[-1].name, channels, channels_out))
            channels = channels_out
    layers.append(Layer("average", "pool", (layers[-1].name,)))
    layers.append(Layer("linear", LOGITS, ("pool",), (channels, CLASSES)))
    return layers


def parameter_name(layer):
    """Prefix of the layer's weight and bias; the last layer's are called `classifier`."""
    return "classifier" if layer.kind == "linear" else layer.name
