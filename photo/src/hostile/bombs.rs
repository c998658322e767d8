//! Small files that ask for much: memory, time, or both. All of them are at the edge of what is allowed, some on the
//! wrong side.

use std::iter;

use super::{
    Case, Kind, PHOTO_BYTES_MAX, PHOTO_JPEG_SCANS_MAX,
    good::{self, MARKER},
    pieces,
};

const GIGABYTE: u64 = 1_000_000_000;
/// What fits beside the picture itself.
const ROOM_BYTES: usize = PHOTO_BYTES_MAX - 8 * 1024;

/// Good pictures, with metadata that is many, long, or inflates to a gigabyte. All of them are to be taken.
pub(super) fn metadata() -> Vec<Case> {
    let png = |extra: Vec<u8>| (Kind::Png, 2, extra);
    let jpeg = |extra: Vec<u8>| (Kind::Jpeg, 1, extra);
    let webp = |extra: Vec<u8>| (Kind::Webp, 2, extra);
    let inflating =
        |kind: &[u8; 4], head: &[u8]| png(pieces::chunk(kind, &[MARKER, head, &zeros_deflated(GIGABYTE)].concat()));
    let profile = |number: u8, of: u8, data: &[u8]| {
        pieces::segment(0xE2, &[b"ICC_PROFILE\0", &[number, of][..], MARKER, data].concat())
    };
    let long = MARKER.repeat(64 * 1024 / MARKER.len() - 4);
    let bombs = [
        inflating(b"iCCP", b"\0\0"),
        inflating(b"zTXt", b"\0\0"),
        inflating(b"iTXt", b"\0\x01\0\0\0"),
        png(pieces::chunk(b"tEXt", &[MARKER, b"\0", &vec![b'a'; ROOM_BYTES - 100]].concat())),
        png(pieces::chunk(b"tEXt", MARKER).repeat(ROOM_BYTES / (12 + MARKER.len()))),
        png(pieces::chunk(b"eXIf", &good::exif(6)).repeat(1_000)),
        jpeg((1..=150).flat_map(|number| profile(number, 150, &long)).collect()),
        jpeg([(0, 0), (1, 255), (255, 1), (1, 1), (1, 1), (2, 1)].map(|(at, of)| profile(at, of, &long)).concat()),
        jpeg(pieces::segment(0xFE, &[]).repeat(ROOM_BYTES / 4)),
        jpeg(pieces::segment(0xE1, &[b"http://ns.adobe.com/xmp/extension/\0", &long[..]].concat()).repeat(150)),
        jpeg(pieces::segment(0xE1, &[&b"Exif\0\0MM\0\x2A\0\0\0\x08\xFF\xFF"[..], &long].concat()).repeat(150)),
        jpeg(vec![0xFF; ROOM_BYTES]),
        webp(pieces::webp_chunk(b"ICCP", &MARKER.repeat(ROOM_BYTES / MARKER.len()))),
        webp(pieces::webp_chunk(b"EXIF", &[&b"II*\0\x08\0\0\0\xFF\xFF"[..], &MARKER.repeat(600_000)].concat())),
        webp(pieces::webp_chunk(b"prvt", &[]).repeat(ROOM_BYTES / 8)),
    ];
    let filled = bombs.into_iter().map(|(kind, at, extra)| {
        let mut parts = pieces::split(kind, &good::plain(kind));
        // Not by `join`: its checksum of ten megabytes is already right.
        parts.insert(at, extra);
        Case::new("metadata", parts.concat())
    });
    filled.collect()
}

/// PNG: pixels that compress well, rows that never end, and blocks that are mostly tables.
pub(super) fn pngs() -> Vec<Case> {
    let grey_bits = png(10_000, 5_000, 1, 0, 0, &[], &zeros_deflated(5_000 * (1 + 1_250)));
    let palette = [pieces::chunk(b"PLTE", &[7; 768]), pieces::chunk(b"tRNS", &[0; 256])].concat();
    let whole = zeros_deflated(5_000 * (1 + 4 * 10_000));
    let interlaced = zeros_deflated(4 * 50_000_000 + 20_000);
    let sixteen = zeros_deflated(8 * 5_700 * 5_700 + 20_000);
    let without_end = zeros_deflated(GIGABYTE * 14 / 10);
    let tables = [&[0x78, 0x01][..], &eight_empty_blocks().repeat(ROOM_BYTES / 91 - 1)].concat();
    let empty_data = pieces::chunk(b"IDAT", &[]).repeat(ROOM_BYTES / 12);
    let stored_nothing = [&[0x78, 0x01][..], &[0, 0, 0, 0xFF, 0xFF].repeat(2_000_000)].concat();
    [
        png(10_000, 5_000, 8, 6, 0, &[], &whole),
        png(10_000, 5_000, 8, 6, 1, &[], &interlaced),
        png(10_000, 5_000, 8, 2, 0, &pieces::chunk(b"tRNS", &[0; 6]), &whole),
        png(10_000, 5_000, 8, 3, 0, &palette, &whole),
        png(5_000, 10_000, 16, 0, 1, &[], &interlaced),
        png(5_700, 5_700, 16, 6, 0, &[], &sixteen),
        png(5_700, 5_700, 16, 6, 1, &[], &sixteen),
        png(10_000, 5_000, 16, 6, 0, &[], &sixteen),
        png(100_000, 100_000, 8, 6, 0, &[], &whole),
        png(64, 64, 8, 6, 0, &[], &without_end),
        png(64, 64, 8, 6, 0, &[], &tables),
        png(64, 64, 8, 6, 0, &[], &stored_nothing),
        png(64, 64, 8, 6, 0, &empty_data, &zeros_deflated(64 * 257)),
        grey_bits,
    ]
    .map(|bytes| Case::new("png", bytes))
    .into()
}

/// JPEG: coefficients of many scans, tables that nobody needs, and restarts.
pub(super) fn jpegs() -> Vec<Case> {
    let scans = |frame, count, width: u16, height: u16, components: u8, precision: u8| {
        let blocks = usize::from(width.div_ceil(8)) * usize::from(height.div_ceil(8)) * usize::from(components);
        let mut parts = jpeg_head(frame, width, height, components, 0x11);
        for scan in 0..count {
            // First the DC of all components, then the AC of one after the other: "nothing", a bit for each block.
            let (which, from, to) = if scan == 0 { (1..=components, 0, 0) } else { (1..=1, 1, 63) };
            parts.push(scan_header(which, from, to, if scan < 2 { 0 } else { precision }));
            parts.push(vec![0; if scan == 0 { blocks } else { blocks / usize::from(components) }.div_ceil(8)]);
        }
        end(parts)
    };
    let at_once = |width: u16, height: u16, components: u8, sampling: u8| {
        let blocks = usize::from(width.div_ceil(8)) * usize::from(height.div_ceil(8)) * usize::from(components);
        let mut parts = jpeg_head(0xC0, width, height, components, sampling);
        parts.extend([scan_header(1..=components, 0, 63, 0), vec![0; blocks.div_ceil(4)]]);
        end(parts)
    };
    let in_pieces = |width: u16, height: u16| {
        let blocks = usize::from(width.div_ceil(8)) * usize::from(height.div_ceil(8));
        let mut parts = jpeg_head(0xC0, width, height, 3, 0x11);
        for component in 1..=3 {
            parts.extend([scan_header(component..=component, 0, 63, 0), vec![0; blocks.div_ceil(4)]]);
        }
        end(parts)
    };
    let before_scan = |extra: Vec<u8>| {
        let mut parts = jpeg_head(0xC0, 16, 16, 1, 0x11);
        parts.extend([extra, scan_header(1..=1, 0, 63, 0), vec![0; 16]]);
        end(parts)
    };
    let one_table = [&[0x00, 1][..], &[0; 15], &[0]].concat();
    let many_tables = pieces::segment(0xC4, &one_table.repeat(65_000 / one_table.len()));
    let quantisation = pieces::segment(0xDB, &[&[0][..], &[1; 64]].concat().repeat(1_000));
    let restarts = (0..ROOM_BYTES / 2).flat_map(|at| [0xFF, 0xD0 | u8::try_from(at % 8).unwrap()]);
    let with_restarts = {
        let mut parts = jpeg_head(0xC0, 5_000, 5_000, 3, 0x11);
        parts.extend([pieces::segment(0xDD, &[0, 1]), scan_header(1..=3, 0, 63, 0), restarts.collect()]);
        end(parts)
    };
    let full_of_tables = many_tables.repeat(ROOM_BYTES / many_tables.len());
    let tables_between = {
        let mut bytes = scans(0xC2, 2, 64, 64, 1, 0);
        bytes.truncate(bytes.len() - 2);
        bytes.extend(&full_of_tables);
        end(vec![bytes, scan_header(1..=1, 1, 63, 0), vec![0; 64]])
    };
    [
        scans(0xC2, PHOTO_JPEG_SCANS_MAX, 10_000, 2_900, 3, 0),
        scans(0xC2, PHOTO_JPEG_SCANS_MAX, 10_000, 5_000, 1, 0),
        // Finer and finer: every place in every block is looked at.
        scans(0xC2, PHOTO_JPEG_SCANS_MAX, 10_000, 5_000, 1, 0x10),
        scans(0xC2, PHOTO_JPEG_SCANS_MAX, 10_000, 5_000, 3, 0),
        scans(0xC2, PHOTO_JPEG_SCANS_MAX + 1, 80, 40, 3, 0),
        scans(0xC2, 20_000, 80, 40, 3, 0),
        scans(0xC0, PHOTO_JPEG_SCANS_MAX, 10_000, 2_900, 3, 0),
        at_once(10_000, 5_000, 3, 0x11),
        at_once(5_000, 10_000, 3, 0x22),
        at_once(10_000, 5_000, 3, 0x44),
        at_once(10_000, 5_000, 3, 0x41),
        at_once(10_000, 5_000, 4, 0x11),
        at_once(10_000, 5_000, 1, 0x44),
        in_pieces(10_000, 2_900),
        in_pieces(10_000, 5_000),
        before_scan(full_of_tables),
        before_scan(quantisation.repeat(ROOM_BYTES / quantisation.len())),
        tables_between,
        before_scan(pieces::segment(0xEE, b"Adobe\0\x64\0\0\0\0\0").repeat(ROOM_BYTES / 16)),
        before_scan(pieces::segment(0xDD, &[0, 0]).repeat(ROOM_BYTES / 6)),
        with_restarts,
    ]
    .map(|bytes| Case::new("jpeg", bytes))
    .into()
}

/// WebP: codes of one symbol need no bits at all, so that a handful of bytes is a picture of any size.
pub(super) fn webps() -> Vec<Case> {
    let large = lossless(5_700, 5_700, &[]);
    let transforms = lossless(5_700, 5_700, &[Transform::Predictor, Transform::Colour, Transform::Green]);
    let indexed = lossless(10_000, 5_000, &[Transform::Palette]);
    let alpha = [&[0x01][..], &lossless(10_000, 1_900, &[])[5..]].concat();
    let stored_alpha = vec![0; 1 + 3_000 * 3_000];
    let groups = |count: u16, group: &[(u32, u32)], rest_bytes: usize| {
        let mut bits = LowBits::default();
        // No transform, no cache; codes by place, of blocks of 4: one block, and its number is the last group's.
        bits.push_all(&[(0, 1), (0, 1), (1, 1), (0, 3), (0, 1)]);
        let [low, high] = (count - 1).to_le_bytes();
        for symbol in [low, high, 0, 0, 0] {
            bits.push_all(&[(1, 1), (0, 1), (1, 1), (symbol.into(), 8)]);
        }
        for _ in 0..count {
            (0..5).for_each(|_| bits.push_all(group));
        }
        let mut picture = [0x2F, 0, 0, 0, 0].to_vec();
        picture.extend(bits.bytes());
        picture.resize(picture.len() + rest_bytes, 0x5A);
        picture
    };
    let single: &[(u32, u32)] = &[(1, 1), (0, 1), (0, 1), (0, 1)];
    let double: &[(u32, u32)] = &[(1, 1), (1, 1), (0, 1), (0, 1), (1, 8)];
    [
        pieces::webp(&[(b"VP8L", &large)]),
        pieces::webp(&[(b"VP8L", &transforms)]),
        pieces::webp(&[(b"VP8L", &indexed)]),
        pieces::webp(&[(b"VP8L", &groups(u16::MAX, single, 0))]),
        pieces::webp(&[(b"VP8L", &groups(u16::MAX, double, 0))]),
        pieces::webp(&[(b"VP8L", &groups(u16::MAX, single, 5_000_000))]),
        pieces::webp(&[(b"VP8L", &groups(1_000, &[], 600_000))]),
        pieces::webp(&[(b"VP8L", &groups(1_000, &[], 3_000_000))]),
        pieces::webp(&[(b"VP8 ", &lossy(10_000, 5_000))]),
        pieces::webp(&[(b"VP8 ", &lossy(16_383, 16_383))]),
        pieces::webp(&[(b"ALPH", &alpha), (b"VP8 ", &lossy(10_000, 1_900))]),
        pieces::webp(&[(b"ALPH", &alpha), (b"VP8 ", &lossy(10_000, 5_000))]),
        pieces::webp(&[(b"ALPH", &stored_alpha), (b"VP8 ", &lossy(3_000, 3_000)[..40])]),
        pieces::webp(&[(b"VP8X", &[0; 10]), (b"VP8 ", &lossy(10_000, 5_000)), (b"VP8L", &large)]),
    ]
    .map(|bytes| Case::new("webp", bytes))
    .into()
}

fn png(width_px: u32, height_px: u32, bits: u8, colour: u8, interlace: u8, extra: &[u8], data: &[u8]) -> Vec<u8> {
    let size = [width_px.to_be_bytes(), height_px.to_be_bytes()];
    let header = pieces::chunk(b"IHDR", &[size.as_flattened(), &[bits, colour, 0, 0, interlace]].concat());
    [b"\x89PNG\r\n\x1A\n", &header[..], extra, &pieces::chunk(b"IDAT", data), &pieces::chunk(b"IEND", &[])].concat()
}

/// Everything before the first scan. The codes are one bit: "0" is no difference, and the end of a block.
fn jpeg_head(frame: u8, width_px: u16, height_px: u16, components: u8, sampling: u8) -> Vec<Vec<u8>> {
    let size = [height_px.to_be_bytes(), width_px.to_be_bytes()];
    // Only the first is sampled so: the others are thinned out.
    let parts = (1..=components).flat_map(|name| [name, if name == 1 { sampling } else { 0x11 }, 0]);
    let about: Vec<u8> = [8].into_iter().chain(size.concat()).chain([components]).chain(parts).collect();
    vec![
        vec![0xFF, 0xD8],
        pieces::segment(0xDB, &[&[0][..], &[1; 64]].concat()),
        pieces::segment(frame, &about),
        pieces::segment(0xC4, &[&[0x00, 1][..], &[0; 15], &[0]].concat()),
        pieces::segment(0xC4, &[&[0x10, 1][..], &[0; 15], &[0]].concat()),
    ]
}

fn scan_header(components: std::ops::RangeInclusive<u8>, from: u8, to: u8, precision: u8) -> Vec<u8> {
    let count = u8::try_from(components.clone().count()).unwrap();
    let named = components.flat_map(|name| [name, 0]);
    pieces::segment(0xDA, &iter::once(count).chain(named).chain([from, to, precision]).collect::<Vec<_>>())
}

fn end(mut parts: Vec<Vec<u8>>) -> Vec<u8> {
    parts.push(vec![0xFF, 0xD9]);
    parts.concat()
}

enum Transform {
    Predictor,
    Colour,
    Green,
    Palette,
}

/// A lossless picture of one colour: all codes have one symbol.
fn lossless(width_px: u32, height_px: u32, transforms: &[Transform]) -> Vec<u8> {
    let codes = |bits: &mut LowBits| (0..5).for_each(|_| bits.push_all(&[(1, 1), (0, 1), (0, 1), (0, 1)]));
    let mut bits = LowBits::default();
    bits.push_all(&[(0x2F, 8), (width_px - 1, 14), (height_px - 1, 14), (0, 1), (0, 3)]);
    for transform in transforms {
        // Each but the third has a picture of its own, without a cache; the blocks are as small as can be.
        let (number, about): (u32, &[(u32, u32)]) = match transform {
            Transform::Predictor => (0, &[(0, 3), (0, 1)]),
            Transform::Colour => (1, &[(0, 3), (0, 1)]),
            Transform::Green => (2, &[]),
            Transform::Palette => (3, &[(255, 8), (0, 1)]),
        };
        bits.push_all(&[(1, 1), (number, 2)]);
        bits.push_all(about);
        if !about.is_empty() {
            codes(&mut bits);
        }
    }
    // No more transforms; the largest cache; codes by place, in a picture of their own.
    bits.push_all(&[(0, 1), (1, 1), (11, 4), (1, 1), (0, 3), (0, 1)]);
    codes(&mut bits);
    codes(&mut bits);
    // Transforms read ahead.
    [bits.bytes(), vec![0; 16]].concat()
}

/// A lossy picture whose bits are all zero, which means something everywhere.
fn lossy(width_px: u16, height_px: u16) -> Vec<u8> {
    const FIRST_PART_BYTES: u32 = 0x7_FFFF;
    // A key frame, shown.
    let tag = (FIRST_PART_BYTES << 5 | 1 << 4).to_le_bytes();
    let head = [&tag[..3], &[0x9D, 0x01, 0x2A], &width_px.to_le_bytes(), &height_px.to_le_bytes()].concat();
    [head, vec![0; 8_000_000]].concat()
}

/// Bits from the low end, as lossless WebP takes them.
#[derive(Default)]
struct LowBits(Vec<bool>);

impl LowBits {
    fn push_all(&mut self, numbers: &[(u32, u32)]) {
        for (value, count) in numbers {
            self.0.extend((0..*count).map(|bit| value.checked_shr(bit).unwrap_or(0) & 1 == 1));
        }
    }

    fn bytes(self) -> Vec<u8> {
        self.0.chunks(8).map(|byte| byte.iter().rev().fold(0, |packed, bit| packed << 1 | u8::from(*bit))).collect()
    }
}

/// Of a zlib stream: eight blocks with codes of their own that hold nothing. Each takes 91 bits.
fn eight_empty_blocks() -> Vec<u8> {
    let mut bits = LowBits::default();
    for _ in 0..8 {
        // One length of a code for each of "one" and "so many zeros": the third and the eighteenth in the table.
        bits.push_all(&[(0, 1), (2, 2), (0, 5), (0, 5), (14, 4), (0, 6), (1, 3), (0, 42), (1, 3)]);
        // So there are codes for a zero and for the end, with 255 unused between them, and one distance. The end.
        bits.push_all(&[(0, 1), (1, 1), (127, 7), (1, 1), (106, 7), (0, 1), (0, 1), (1, 1)]);
    }
    bits.bytes()
}

/// A zlib stream of at least so many zeros, without ever having them in memory: one zero, then "258 times the byte
/// before", which takes 13 bits, so that eight of them take 13 bytes.
fn zeros_deflated(count: u64) -> Vec<u8> {
    let eights = count.div_ceil(8 * 258);
    // A last block with fixed codes, and a literal zero: 11 bits. Then rounds that are not aligned, but alike.
    let mut bits = LowBits::default();
    bits.push_all(&[(0b11, 3), (0b0000_1100, 8)]);
    (0..9).for_each(|_| bits.push_all(&[(0b1010_0011, 8), (0, 5)]));
    let packed = bits.bytes();
    let mut deflated = vec![0x78, 0x01, packed[0], packed[1]];
    (0..eights).for_each(|_| deflated.extend(&packed[2..15]));
    // In the middle of a repeat, as after the first two bytes: its end, then the end of the block.
    let mut tail = LowBits::default();
    tail.push_all(&[(0b1010_0011 >> 5, 3), (0, 5), (0, 7)]);
    deflated.extend(tail.bytes());
    let zeros = 1 + 258 * (8 * eights + 1);
    deflated.extend((u32::try_from(zeros % 65_521).unwrap() << 16 | 1).to_be_bytes());
    deflated
}
