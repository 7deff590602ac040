# SPDX-License-Identifier: Apache-2.0
"""Writes what the shapes renderer makes: ONNX TensorProto files and a PNG contact sheet.

Both formats are written byte by byte, so that rendering a test set needs numpy and nothing else.
"""
import struct
import zlib

import numpy as np

#: TensorProto.DataType of the element types in use.
ONNX_TYPES = {np.dtype(np.uint8): 2, np.dtype(np.int64): 7}
VARINT, BYTES = 0, 2   # wire types of protobuf


def varint(number):
    """A protobuf variable-length integer: seven bits a byte, low bits first."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out) + bytes([number])


def bytes_field(field, data):
    """A length-delimited protobuf field."""
    return varint(field << 3 | BYTES) + varint(len(data)) + data


def write_tensor(path, name, array):
    """Writes `array` as an ONNX TensorProto: dims (1), data_type (2), name (8), raw_data (9), little endian."""
    array = np.ascontiguousarray(array)
    message = b"".join(varint(1 << 3 | VARINT) + varint(length) for length in array.shape)
    message += varint(2 << 3 | VARINT) + varint(ONNX_TYPES[array.dtype])
    message += bytes_field(8, name.encode())
    message += bytes_field(9, array.astype(array.dtype.newbyteorder("<")).tobytes())
    path.write_bytes(message)


def png_chunk(kind, data):
    """Length, kind, data and checksum, as every PNG chunk has them."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def write_png(path, pixels):
    """Writes uint8 [height, width, 3] as a PNG of 216 colours, six levels a channel: noise hardly compresses, and a byte a pixel keeps the file small."""
    height, width, _ = pixels.shape
    levels = np.rint(pixels / 51.0).astype(np.uint8)
    indices = levels[..., 0] * 36 + levels[..., 1] * 6 + levels[..., 2]
    palette = np.stack(np.meshgrid(*[np.arange(6) * 51] * 3, indexing="ij"), axis=-1).astype(np.uint8)
    rows = np.concatenate([np.zeros((height, 1), np.uint8), indices], axis=1)  # a zero before each row: stored unfiltered
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"PLTE", palette.tobytes())
                     + png_chunk(b"IDAT", zlib.compress(rows.tobytes(), 9)) + png_chunk(b"IEND", b""))


def contact_sheet(images, labels, rows, zoom=2):
    """One column a class with its first `rows` images, white between, each pixel `zoom` pixels wide; uint8 [height, width, 3]."""
    side, gap, classes = images.shape[-1], 2, int(labels.max()) + 1
    pitch = side + gap
    sheet = np.full((rows * pitch + gap, classes * pitch + gap, 3), 255, np.uint8)
    for label in range(classes):
        for row, image in enumerate(images[labels == label][:rows]):
            top, left = row * pitch + gap, label * pitch + gap
            sheet[top:top + side, left:left + side] = image.transpose(1, 2, 0)
    return sheet.repeat(zoom, axis=0).repeat(zoom, axis=1)
