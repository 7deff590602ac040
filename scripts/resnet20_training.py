# SPDX-License-Identifier: Apache-2.0
"""Trains the layer list of resnet20_layers.py with PyTorch on the CPU and folds batch normalisation into the convolutions.

A fixed seed and deterministic kernels make two runs on one machine agree bit for bit; another processor or release of PyTorch rounds differently
and gives another network of about the same accuracy.
"""
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from resnet20_layers import IMAGE, LOGITS, parameter_name, resnet20_layers

BATCH = 64
PEAK_RATE = 2e-3
WEIGHT_DECAY = 0.01
IMAGE_SHAPE = (3, 32, 32)


class Network(nn.Module):
    """The layer list with batch normalisation after every convolution; takes uint8 images."""

    def __init__(self):
        super().__init__()
        self.weighted = nn.ModuleDict()
        for layer in resnet20_layers():
            if layer.kind == "conv":
                conv = nn.Conv2d(*layer.channels, layer.kernel, layer.stride, layer.pad, bias=False)
                nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
                self.weighted[module_key(layer)] = nn.Sequential(conv, nn.BatchNorm2d(layer.channels[1]))
            elif layer.kind == "linear":
                self.weighted[module_key(layer)] = nn.Linear(*layer.channels)

        start_from_edges(self.weighted["stem_conv"][0].weight)

    def forward(self, images):
        return self.on_reals(as_reals(images))

    def on_reals(self, images):
        """Logits of float images in [0, 1]."""
        return run_layers(images, lambda layer, x: self.weighted[module_key(layer)](x))[LOGITS]


class OnReals(nn.Module):
    """The network as a float model takes its images: reals in [0, 1]."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, images):
        return self.network.on_reals(images)


def start_from_edges(weight):
    """Makes the first filters blind to plain colour. Colours say nothing about the class, and without this the loss stays at chance for epochs."""
    with torch.no_grad():
        weight -= weight.mean(dim=(2, 3), keepdim=True)


def module_key(layer):
    """PyTorch allows no dots in the keys of a ModuleDict."""
    return parameter_name(layer).replace(".", "_")


def as_reals(images):
    """uint8 images as floats in [0, 1]."""
    return images.float() / 255


def run_layers(images, apply_weights):
    """Runs float images [N, 3, 32, 32] through the layer list; returns every tensor by name."""
    tensors = {IMAGE: images}
    for layer in resnet20_layers():
        sources = [tensors[name] for name in layer.inputs]
        if layer.has_weights:
            value = apply_weights(layer, sources[0])
        elif layer.kind == "add":
            value = sources[0] + sources[1]
        else:
            value = sources[0].mean(dim=(2, 3))
        tensors[layer.name] = functional.relu(value) if layer.relu else value
    return tensors


def mirror_at_random(images, generator):
    """Flips each image left-right with probability 1/2: a mirrored shape keeps its class."""
    flip = torch.rand(len(images), generator=generator) < 0.5
    return torch.where(flip[:, None, None, None], images.flip(3), images)


def train(images, labels, epochs, seed, threads):
    """Trains on uint8 images and int64 labels (numpy); prints one line an epoch, returns the network."""
    torch.manual_seed(seed)
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
    images, labels = torch.from_numpy(images), torch.from_numpy(labels)
    generator = torch.Generator().manual_seed(seed)
    network = Network().to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), PEAK_RATE, weight_decay=WEIGHT_DECAY)
    steps = len(images) // BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, PEAK_RATE, total_steps=epochs * steps, pct_start=0.2)
    start = time.monotonic()
    for epoch in range(epochs):
        order = torch.randperm(len(images), generator=generator)
        total = 0.0
        for step in range(steps):
            chosen = order[step * BATCH:(step + 1) * BATCH]
            logits = network(mirror_at_random(images[chosen], generator))
            loss = functional.cross_entropy(logits, labels[chosen])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item()
        print(f"epoch {epoch + 1}/{epochs}: loss {total / steps:.3f}, {time.monotonic() - start:.0f} s", flush=True)
    return network.eval()


def export_float(network, path):
    """Writes the trained network as PyTorch exports it: float32, opset 13, batch normalisation as nodes of its own."""
    # TrainingMode.EVAL would fold batch normalisation; PRESERVE leaves the network as it is, which is in evaluation.
    torch.onnx.export(OnReals(network).eval(), torch.zeros(1, *IMAGE_SHAPE), str(path), opset_version=13,
                      training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False, input_names=[IMAGE],
                      output_names=[LOGITS], dynamic_axes={IMAGE: {0: "N"}, LOGITS: {0: "N"}})


def fold_batch_norm(network):
    """Weights and biases as numpy float32, with y = gamma (conv(x) - mean) / sqrt(variance + eps) + beta folded into the convolution.

    Names are `stage1.block0.conv1.weight` and so on.
    """
    parameters = {}
    for layer in resnet20_layers():
        if not layer.has_weights:
            continue
        module = network.weighted[module_key(layer)]
        if layer.kind == "linear":
            weight, bias = module.weight, module.bias
        else:
            conv, norm = module
            factor = norm.weight / torch.sqrt(norm.running_var + norm.eps)
            weight, bias = conv.weight * factor[:, None, None, None], norm.bias - norm.running_mean * factor
        parameters[parameter_name(layer) + ".weight"] = weight.detach().contiguous().numpy()
        parameters[parameter_name(layer) + ".bias"] = bias.detach().numpy()
    return parameters


def run_folded(parameters, images):
    """All float tensors of the folded network for uint8 images (numpy), by name."""
    def apply_weights(layer, x):
        prefix = parameter_name(layer)
        weight, bias = (torch.from_numpy(parameters[f"{prefix}.{part}"]) for part in ("weight", "bias"))
        if layer.kind == "linear":
            return functional.linear(x, weight, bias)
        return functional.conv2d(x, weight, bias, layer.stride, layer.pad)

    with torch.no_grad():
        return run_layers(as_reals(torch.from_numpy(images)), apply_weights)


def float_accuracy(parameters, images, labels):
    """Share of the images whose largest logit is the label's, in float32."""
    batches = range(0, len(images), 500)
    hits = sum(int((run_folded(parameters, images[i:i + 500])[LOGITS].argmax(1).numpy() == labels[i:i + 500]).sum())
               for i in batches)
    return hits / len(images)


def calibrate(parameters, images):
    """Smallest and largest value of every tensor over the images (numpy float32 pairs by name)."""
    ranges = {}
    for start in range(0, len(images), 500):
        for name, tensor in run_folded(parameters, images[start:start + 500]).items():
            low, high = ranges.get(name, (np.inf, -np.inf))
            ranges[name] = (min(low, float(tensor.min())), max(high, float(tensor.max())))
    return ranges
