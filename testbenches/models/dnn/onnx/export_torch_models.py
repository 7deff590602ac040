# SPDX-License-Identifier: Apache-2.0
# Exports small networks from PyTorch with random weights, each with inputs and the outputs that PyTorch computes: golden
# data that share nothing with our reader. Run it again only to add networks; the files are committed.
import math
import pathlib
import sys

import numpy
import onnx
import onnx.numpy_helper
import torch
import torch.nn.functional as F
from torch import nn
from torch.ao.quantization import get_default_qconfig_mapping, quantize_fx

FOLDER = pathlib.Path(__file__).parent / "torch_models"


class ConvBnRelu(nn.Sequential):
    def __init__(self, channels, filters, kernel, **options):
        super().__init__(nn.Conv2d(channels, filters, kernel, bias=False, **options), nn.BatchNorm2d(filters), nn.ReLU())


class Cnn(nn.Module):
    """Convolution, batch normalisation, both poolings, a classifier behind a flattened map."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(ConvBnRelu(3, 6, 3, padding=1), nn.MaxPool2d(2, ceil_mode=True),
                                      ConvBnRelu(6, 8, 3, stride=2), nn.Dropout())
        self.classifier = nn.Sequential(nn.Linear(8 * 2 * 1, 10), nn.ReLU6(), nn.Linear(10, 4))

    def forward(self, x):
        return self.classifier(torch.flatten(self.features(x), 1))


class Residual(nn.Module):
    """A residual block with a projection; the first normalisation stands before its convolution."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm2d(4)
        self.a, self.b = ConvBnRelu(4, 6, 3, padding=1, stride=2), nn.Conv2d(6, 6, 3, padding=1)
        self.shortcut = nn.Sequential(nn.Conv2d(4, 6, 1, stride=2, bias=False), nn.BatchNorm2d(6))

    def forward(self, x):
        x = F.relu(self.norm(x))
        return F.relu(self.b(self.a(x)) + self.shortcut(x)).mean([2, 3])


class SqueezeExcite(nn.Module):
    """Depthwise convolution, squeeze and excitation, HardSwish, SiLU."""

    def __init__(self):
        super().__init__()
        self.wide = nn.Sequential(nn.Conv2d(4, 8, 1), nn.BatchNorm2d(8), nn.Hardswish())
        self.depthwise = nn.Conv2d(8, 8, 3, padding=1, groups=8)
        self.down, self.up = nn.Conv2d(8, 4, 1), nn.Conv2d(4, 8, 1)

    def forward(self, x):
        x = F.silu(self.depthwise(self.wide(x)))
        scale = F.adaptive_avg_pool2d(x, 1)
        return x * F.hardsigmoid(self.up(F.relu(self.down(scale))))


class Shuffle(nn.Module):
    """ShuffleNetV2's unit: split, two branches, concatenation, channel shuffle with computed shapes."""

    def __init__(self):
        super().__init__()
        self.branch = nn.Sequential(ConvBnRelu(4, 4, 1), nn.Conv2d(4, 4, 3, padding=1, groups=4), nn.BatchNorm2d(4))
        self.last = nn.Conv2d(8, 3, 1)

    def forward(self, x):
        for _ in range(2):
            left, right = x.chunk(2, dim=1)
            x = torch.cat((left, self.branch(right)), dim=1)
            n, c, h, w = x.size()
            x = x.view(n, 2, c // 2, h, w).transpose(1, 2).contiguous().view(n, c, h, w)
        return self.last(F.pad(x, (1, 0, 0, 1)))


class Inception(nn.Module):
    """Branches of different windows, joined."""

    def __init__(self):
        super().__init__()
        self.a, self.b = ConvBnRelu(3, 2, 1), nn.Sequential(ConvBnRelu(3, 2, 1), ConvBnRelu(2, 3, (3, 1), padding=(1, 0)))
        self.c = ConvBnRelu(3, 2, 1)

    def forward(self, x):
        pool = F.avg_pool2d(x, 3, stride=1, padding=1)
        return torch.cat([self.a(x), self.b(x), self.c(pool), F.max_pool2d(x, 3, 1, 1)], 1)


class Activations(nn.Module):
    """The remaining functions of one number, dense connections, a normalisation that no product takes in."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(6)

    def forward(self, x):
        x = torch.cat([torch.tanh(self.conv(x)), x], 1)
        x = F.leaky_relu(self.norm(x), 0.2)
        x = F.gelu(x) * 0.75 + torch.sigmoid(1.0 - x)
        return torch.clamp(x / 2 - 0.25, -0.5, 0.75)


class OptionA(nn.Module):
    """The shortcut of CIFAR ResNets: every second pixel; then one pixel of the map."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3, padding=1, stride=2)

    def forward(self, x):
        return F.relu(self.conv(x) + x[:, :, ::2, ::2])[:, [2, 0, 3]]


class BertLayer(nn.Module):
    """An encoder layer as BERT has it, written with views and transpositions."""

    def __init__(self, width=12, heads=3, fused=False):
        super().__init__()
        self.heads, self.fused = heads, fused
        self.qkv = nn.Linear(width, 3 * width)
        self.q, self.k, self.v = (nn.Linear(width, width) for _ in range(3))
        self.out, self.norm1, self.norm2 = nn.Linear(width, width), nn.LayerNorm(width, eps=1e-12), nn.LayerNorm(width)
        self.up, self.down = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)

    def split(self, x):
        return x.view(x.size(0), x.size(1), self.heads, -1).permute(0, 2, 1, 3)

    def forward(self, x):
        q, k, v = self.qkv(x).chunk(3, dim=-1) if self.fused else (self.q(x), self.k(x), self.v(x))
        q, k, v = self.split(q), self.split(k), self.split(v)
        scores = torch.matmul(q, k.transpose(-1, -2)) / math.sqrt(q.size(-1))
        context = torch.matmul(scores.softmax(dim=-1), v).permute(0, 2, 1, 3).contiguous()
        x = self.norm1(x + self.out(context.view(x.size(0), x.size(1), -1)))
        return self.norm2(x + self.down(F.gelu(self.up(x))))


class VitAttention(nn.Module):
    """Patches of a map as a sequence, timm's attention with one product for queries, keys and values, the mean."""

    def __init__(self):
        super().__init__()
        self.patches, self.qkv, self.proj = nn.Conv2d(3, 8, 2, stride=2), nn.Linear(8, 24), nn.Linear(8, 8)
        self.norm, self.head = nn.LayerNorm(8), nn.Linear(8, 5)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        b, n, c = x.shape
        q, k, v = self.qkv(self.norm(x)).reshape(b, n, 3, 2, c // 2).permute(2, 0, 3, 1, 4).unbind(0)
        weights = (q @ k.transpose(-2, -1) * (c // 2) ** -0.5).softmax(dim=-1)
        x = x + self.proj((weights @ v).transpose(1, 2).reshape(b, n, c))
        return self.head(x.mean(dim=1))


class Pooler(nn.Module):
    """The first token of a sequence through a classifier."""

    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Linear(6, 6), nn.Linear(6, 3)

    def forward(self, x):
        return self.head(torch.tanh(self.body(x)[:, 0]))


class TorchEncoder(nn.Module):
    """PyTorch's own encoder layer, sequence first inside."""

    def __init__(self):
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, activation="gelu", batch_first=True)

    def forward(self, x):
        return self.layer(x)


class Quantised(nn.Module):
    """What PyTorch quantises and exports: convolutions, HardSwish, Sigmoid, products and sums of activations."""

    def __init__(self):
        super().__init__()
        self.stem, self.norm = nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6)
        self.depthwise, self.swish = nn.Conv2d(6, 6, 3, padding=1, groups=6), nn.Hardswish()
        self.down, self.up, self.gate = nn.Conv2d(6, 4, 1), nn.Conv2d(4, 6, 1), nn.Sigmoid()
        self.last = nn.Conv2d(6, 5, (6, 5))

    def forward(self, x):
        x = torch.relu(self.norm(self.stem(x)))
        y = self.swish(self.depthwise(x))
        return self.last(x + y * self.gate(self.up(torch.relu(self.down(y)))))


def tensor_file(path, value):
    path.write_bytes(onnx.numpy_helper.from_array(numpy.ascontiguousarray(value)).SerializeToString())


def quantised(module, shape):
    """The module with random weights, calibrated with random inputs."""
    randomise(module, 5)
    torch.backends.quantized.engine = "qnnpack"
    example = torch.randn(64, *shape)
    prepared = quantize_fx.prepare_fx(module, get_default_qconfig_mapping("qnnpack"), (example[:1],))
    prepared(example)
    return quantize_fx.convert_fx(prepared)


def randomise(module, seed):
    torch.manual_seed(seed)
    for parameter in module.parameters():
        nn.init.normal_(parameter, 0.0, 0.4)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            nn.init.normal_(part.running_mean, 0.0, 0.5)
            nn.init.uniform_(part.running_var, 0.5, 2.0)
    module.eval()


def export(name, module, shape, opset, batch=2, dynamic=True, **options):
    if not isinstance(module, torch.fx.GraphModule):
        randomise(module, len(name) * 7 + opset)
    x = torch.randn(batch if dynamic else 1, *shape)
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{name}_{opset}.onnx"
    axes = {"x": {0: "N"}, "y": {0: "N"}} if dynamic else None
    torch.onnx.export(module, x, str(path), opset_version=opset, input_names=["x"], output_names=["y"], dynamic_axes=axes,
                      **options)
    model = onnx.load(str(path))
    for node in model.graph.node:  # the exporter notes where in its source a node comes from
        node.doc_string = ""
    model.producer_version = ""
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    with torch.no_grad():
        y = module(x)
    tensor_file(FOLDER / f"{name}_{opset}.input.pb", x.numpy())
    tensor_file(FOLDER / f"{name}_{opset}.output.pb", y.numpy())
    print(name, opset, tuple(y.shape), path.stat().st_size, sorted({n.op_type for n in model.graph.node}))


def main():
    for opset in (9, 11, 13, 17):
        export("cnn", Cnn(), (3, 9, 7), opset, do_constant_folding=opset > 9)
        export("residual", Residual(), (4, 6, 8), opset)
    for opset in (11, 13, 17):
        export("squeeze_excite", SqueezeExcite(), (4, 5, 6), opset)
        export("shuffle", Shuffle(), (8, 4, 5), opset)
        export("activations", Activations(), (3, 3, 4), opset)
        export("bert", BertLayer(), (8, 12), opset)
        export("torch_encoder", TorchEncoder(), (6, 8), opset, dynamic=opset != 11)
    export("unfused", Residual(), (4, 6, 8), 13, training=torch.onnx.TrainingMode.PRESERVE)
    export("inception", Inception(), (3, 6, 5), 13)
    export("option_a", OptionA(), (4, 7, 6), 13)
    export("bert_fused", BertLayer(fused=True), (5, 12), 13)
    export("bert_fixed", BertLayer(), (7, 12), 17, dynamic=False)
    export("vit", VitAttention(), (3, 8, 4), 13)
    export("quantised", quantised(Quantised(), (3, 6, 5)), (3, 6, 5), 13, batch=8)
    export("vit", VitAttention(), (3, 8, 4), 17, dynamic=False)
    export("pooler", Pooler(), (9, 6), 13)


if __name__ == "__main__":
    sys.exit(main())
