//! Pictures as players and attackers send them, built in code so that every byte has a reason.
//!
//! A "quartered" picture is red at the top left, green at the top right, blue at the bottom left, black at the bottom
//! right: whoever turns it can be caught.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, Luma, LumaA, Rgb, RgbImage, Rgba};

pub(crate) const RED: [u8; 3] = [220, 20, 20];
pub(crate) const GREEN: [u8; 3] = [20, 200, 20];
pub(crate) const BLUE: [u8; 3] = [20, 20, 220];
pub(crate) const BLACK: [u8; 3] = [0, 0, 0];

/// What must be in no output: 37°33'59.9" N as rationals, and the words that the metadata of these pictures is made of.
pub(crate) const SECRETS: [&[u8]; 12] = [
    &GPS_LATITUDE,
    b"Exif",
    b"http://ns.adobe.com",
    b"Photoshop 3.0",
    b"8BIM",
    b"ICC_PROFILE",
    b"secret-maker-note",
    b"secret-xmp",
    b"secret-iptc",
    b"secret-comment",
    b"secret-text",
    b"secret-trailer",
];

const GPS_LATITUDE: [u8; 24] = [37, 0, 0, 0, 1, 0, 0, 0, 33, 0, 0, 0, 1, 0, 0, 0, 0x57, 2, 0, 0, 10, 0, 0, 0];

fn quartered(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        Rgb(match (x < width / 2, y < height / 2) {
            (true, true) => RED,
            (false, true) => GREEN,
            (true, false) => BLUE,
            (false, false) => BLACK,
        })
    })
}

fn encoded(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.into().write_to(&mut bytes, format).expect("the picture can be encoded");
    bytes.into_inner()
}

/// A plain quartered JPEG.
pub(crate) fn jpeg(width: u32, height: u32) -> Vec<u8> {
    encoded(quartered(width, height), ImageFormat::Jpeg)
}

/// A JPEG with as much detail as a camera's, so that its size and decoding time are real.
pub(crate) fn jpeg_with_detail(width: u32, height: u32) -> Vec<u8> {
    let mut noise = 1_u32;
    let picture = RgbImage::from_fn(width, height, |x, y| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let [.., grain] = (noise >> 4).to_le_bytes();
        let [wave, ..] = (x / 9 * 5 + y / 7 * 3).to_le_bytes();
        Rgb([wave / 2 + grain * 4, (wave / 3).wrapping_add(x.to_le_bytes()[0] / 4), 90 + grain * 3])
    });
    encoded(picture, ImageFormat::Jpeg)
}

/// A quartered JPEG, 80 × 40 as stored, that EXIF says to turn (1 to 8).
pub(crate) fn jpeg_turned(orientation: u8) -> Vec<u8> {
    with_segments(&jpeg(80, 40), &[(0xE1, &exif(orientation))])
}

/// A quartered JPEG, 80 × 40 as stored and to be turned by 90°, with everything a phone and its editors add: EXIF with
/// place, maker note and thumbnail; XMP; IPTC; a profile; a comment; bytes after the end.
pub(crate) fn jpeg_full_of_secrets() -> Vec<u8> {
    let xmp = b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:x='adobe:ns:meta/'>secret-xmp</x:xmpmeta>";
    let iptc = b"Photoshop 3.0\08BIM\x04\x04\0\0\0\0\0\x10\x1C\x02\x78\0\x0Bsecret-iptc\0";
    let profile = b"ICC_PROFILE\0\x01\x01not a real profile";
    let mut bytes = with_segments(
        &jpeg(80, 40),
        &[(0xE1, &exif(6)), (0xE1, xmp), (0xED, iptc), (0xE2, profile), (0xFE, b"secret-comment")],
    );
    bytes.extend(b"secret-trailer");
    bytes
}

/// An inverted CMYK JPEG as printers' software writes it, 8 × 8: pure red.
pub(crate) fn jpeg_cmyk() -> Vec<u8> {
    let mut bytes = vec![0xFF, 0xD8];
    segment(&mut bytes, 0xEE, b"Adobe\0\x64\0\0\0\0\0");
    segment(&mut bytes, 0xDB, &[&[0][..], &[1; 64]].concat());
    segment(&mut bytes, 0xC0, &[8, 0, 8, 0, 8, 4, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0, 4, 0x11, 0]);
    // DC: one code, "0", for differences of ten bits. AC: one code, "0", for the end of a block.
    segment(&mut bytes, 0xC4, &[&[0x00, 1][..], &[0; 15], &[10]].concat());
    segment(&mut bytes, 0xC4, &[&[0x10, 1][..], &[0; 15], &[0]].concat());
    segment(&mut bytes, 0xDA, &[4, 1, 0, 2, 0, 3, 0, 4, 0, 0, 63, 0]);
    // Inverted: 255 is no ink. DC is eight times the level less 128.
    let mut bits = Bits::default();
    for level in [255_i32, 1, 1, 255] {
        let difference = (level - 128) * 8;
        let ten_bits = if difference < 0 { difference + 1023 } else { difference };
        bits.push(0, 1);
        bits.push(u32::try_from(ten_bits).expect("within ten bits"), 10);
        bits.push(0, 1);
    }
    bytes.extend(bits.stuffed());
    bytes.extend([0xFF, 0xD9]);
    bytes
}

/// The first two thirds of a JPEG, as a broken upload leaves it.
pub(crate) fn jpeg_cut_short() -> Vec<u8> {
    let mut bytes = jpeg_with_detail(400, 300);
    bytes.truncate(bytes.len() * 2 / 3);
    bytes
}

/// A few kilobytes of progressive JPEG: a grey picture that is gone over `scans` times, each time with nothing to say.
pub(crate) fn jpeg_of_scans(width: u16, height: u16, scans: usize) -> Vec<u8> {
    let blocks = u32::from(width).div_ceil(8) * u32::from(height).div_ceil(8);
    let [h1, h0] = height.to_be_bytes();
    let [w1, w0] = width.to_be_bytes();
    let mut bytes = vec![0xFF, 0xD8];
    segment(&mut bytes, 0xDB, &[&[0][..], &[1; 64]].concat());
    segment(&mut bytes, 0xC2, &[8, h1, h0, w1, w0, 1, 1, 0x11, 0]);
    segment(&mut bytes, 0xC4, &[&[0x00, 1][..], &[0; 15], &[0]].concat());
    // AC: one code, "0", for "the next 16,384 to 32,767 blocks are empty".
    segment(&mut bytes, 0xC4, &[&[0x10, 1][..], &[0; 15], &[0xE0]].concat());
    for scan in 0..scans {
        let (first, last) = if scan == 0 { (0, 0) } else { (1, 63) };
        segment(&mut bytes, 0xDA, &[1, 1, 0, first, last, 0]);
        let mut bits = Bits::default();
        if scan == 0 {
            (0..blocks).for_each(|_| bits.push(0, 1));
        } else {
            for _ in 0..blocks.div_ceil(32_767) {
                bits.push(0, 1);
                bits.push(16_383, 14);
            }
        }
        bytes.extend(bits.stuffed());
    }
    bytes.extend([0xFF, 0xD9]);
    bytes
}

/// A hundred bytes of progressive JPEG in full colour, within the legal size, for which a decoder takes 450 MB.
pub(crate) fn jpeg_of_coefficients() -> Vec<u8> {
    let mut bytes = vec![0xFF, 0xD8];
    segment(&mut bytes, 0xC2, &[8, 0x13, 0x88, 0x27, 0x10, 3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0]);
    segment(&mut bytes, 0xDA, &[3, 1, 0, 2, 0, 3, 0, 0, 0, 0]);
    bytes.extend([0, 0, 0xFF, 0xD9]);
    bytes
}

/// A quartered PNG, 80 × 40 as stored and to be turned by 90°, with text and EXIF.
pub(crate) fn png_with_text() -> Vec<u8> {
    with_chunks(
        &encoded(quartered(80, 40), ImageFormat::Png),
        &[
            (b"tEXt", b"Comment\0secret-text"),
            (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0http://ns.adobe.com/xap/1.0/ secret-xmp"),
            (b"eXIf", &exif(6)["Exif\0\0".len()..]),
        ],
    )
}

/// A PNG, half see-through red: pink on white.
pub(crate) fn png_see_through() -> Vec<u8> {
    encoded(image::RgbaImage::from_pixel(40, 40, Rgba([255, 0, 0, 128])), ImageFormat::Png)
}

/// A PNG of 16 bits a channel, wholly transparent: white, whatever its colour says.
pub(crate) fn png_sixteen_bits() -> Vec<u8> {
    let clear = Rgba([60_000_u16, 0, 0, 0]);
    encoded(DynamicImage::ImageRgba16(image::ImageBuffer::from_pixel(2_000, 40, clear)), ImageFormat::Png)
}

/// A grey PNG at half light.
pub(crate) fn png_grey() -> Vec<u8> {
    encoded(image::GrayImage::from_pixel(40, 40, Luma([128])), ImageFormat::Png)
}

/// A grey PNG, black and wholly see-through: white.
pub(crate) fn png_grey_see_through() -> Vec<u8> {
    encoded(DynamicImage::ImageLumaA8(image::ImageBuffer::from_pixel(40, 40, LumaA([0, 0]))), ImageFormat::Png)
}

/// A PNG without its second half.
pub(crate) fn png_cut_short() -> Vec<u8> {
    let mut bytes = encoded(quartered(400, 300), ImageFormat::Png);
    bytes.truncate(bytes.len() / 2);
    bytes
}

/// A small file that says it is 100,000 × 100,000 pixels.
pub(crate) fn png_too_wide() -> Vec<u8> {
    png_of_zeros(100_000, 100_000, 1_000)
}

/// A legal 10,000 × 5,000 with alpha: 1.3 MB that become 200 MB.
pub(crate) fn png_bomb() -> Vec<u8> {
    png_of_zeros(10_000, 5_000, 5_000 * (1 + 4 * 10_000))
}

/// A legal 64 × 64 whose 9 MB of data go on for 1.4 GB after the last row.
pub(crate) fn png_without_end() -> Vec<u8> {
    png_of_zeros(64, 64, 1_400_000_000)
}

/// A PNG whose colour profile inflates to 1 GB.
pub(crate) fn png_profile_bomb() -> Vec<u8> {
    let profile = [&b"icc\0\0"[..], &zeros_deflated(1_000_000_000)].concat();
    with_chunks(&encoded(quartered(80, 40), ImageFormat::Png), &[(b"iCCP", &profile)])
}

/// An animated PNG by its `acTL` chunk: two frames.
pub(crate) fn png_animated() -> Vec<u8> {
    with_chunks(&encoded(quartered(80, 40), ImageFormat::Png), &[(b"acTL", &[0, 0, 0, 2, 0, 0, 0, 0])])
}

/// A plain quartered lossless WebP.
pub(crate) fn webp(width: u32, height: u32) -> Vec<u8> {
    encoded(quartered(width, height), ImageFormat::WebP)
}

/// A quartered WebP, 80 × 40 as stored and to be turned by 90°, with EXIF and XMP.
pub(crate) fn webp_with_exif() -> Vec<u8> {
    let plain = webp(80, 40);
    let picture = &plain[20..];
    riff(&[
        (b"VP8X", &[0x0C, 0, 0, 0, 79, 0, 0, 39, 0, 0]),
        (b"VP8L", picture),
        (b"EXIF", &exif(6)),
        (b"XMP ", b"http://ns.adobe.com/xap/1.0/ secret-xmp"),
    ])
}

/// A lossy WebP of one pixel, as the format's own site offers it.
pub(crate) fn webp_lossy() -> Vec<u8> {
    riff(&[(b"VP8 ", &LOSSY_PIXEL)])
}

/// A WebP whose container says 1 × 1, while the lossy picture inside says 16,383 × 16,383.
pub(crate) fn webp_two_sizes() -> Vec<u8> {
    let mut picture = LOSSY_PIXEL;
    picture[6..10].copy_from_slice(&[0xFF, 0x3F, 0xFF, 0x3F]);
    riff(&[(b"VP8X", &[0; 10]), (b"VP8 ", &picture)])
}

/// A lossless WebP of one pixel with 3 MB of code tables to build: each dozen bytes may cost 4 KiB of memory.
pub(crate) fn webp_of_tables() -> Vec<u8> {
    riff(&[(b"VP8L", &[&[0x2F, 0, 0, 0, 0][..], &vec![0x5A; 3_000_000]].concat())])
}

/// An animated WebP of one frame.
pub(crate) fn webp_animated() -> Vec<u8> {
    let frame = [&[0; 16][..], b"VP8 ", &[22, 0, 0, 0], &LOSSY_PIXEL].concat();
    riff(&[(b"VP8X", &[2, 0, 0, 0, 0, 0, 0, 0, 0, 0]), (b"ANIM", &[0; 6]), (b"ANMF", &frame)])
}

/// A web page that calls itself `dinner.jpg`.
pub(crate) fn html() -> Vec<u8> {
    b"<!doctype html><html><script>alert('dinner.jpg')</script></html>".to_vec()
}

/// A whole GIF of one pixel.
pub(crate) fn gif() -> Vec<u8> {
    b"GIF89a\x01\0\x01\0\x80\0\0\xFF\xFF\xFF\0\0\0!\xF9\x04\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;".to_vec()
}

/// The beginning of a HEIC file, as iPhones write it.
pub(crate) fn heic() -> Vec<u8> {
    b"\0\0\0\x24ftypheic\0\0\0\0mif1MiHEmiafMiHBheic\0\0\x0D\x42meta".to_vec()
}

/// The beginning of an AVIF file.
pub(crate) fn avif() -> Vec<u8> {
    b"\0\0\0\x20ftypavif\0\0\0\0avifmif1miafMA1B\0\0\0\xF2meta".to_vec()
}

/// Nothing at all.
pub(crate) fn empty() -> Vec<u8> {
    Vec::new()
}

/// A JPEG's first bytes and then more zeros than may be sent.
pub(crate) fn too_large() -> Vec<u8> {
    let mut bytes = jpeg(80, 40);
    bytes.resize(10 * 1024 * 1024 + 1, 0);
    bytes
}

const LOSSY_PIXEL: [u8; 22] = [
    0x30, 0x01, 0x00, 0x9D, 0x01, 0x2A, 0x01, 0x00, 0x01, 0x00, 0x0E, 0xC0, 0xFE, 0x25, 0xA4, 0x00, 0x03, 0x70, 0x00,
    0x00, 0x00, 0x00,
];

/// An EXIF segment, little-endian: orientation, place, a maker note and a thumbnail.
fn exif(orientation: u8) -> Vec<u8> {
    const SHORT: u16 = 3;
    const LONG: u16 = 4;
    const RATIONAL: u16 = 5;
    const UNDEFINED: u16 = 7;
    const ASCII: u16 = 2;
    const TABLE: u32 = 8;
    let note = b"secret-maker-note";
    let thumbnail = jpeg(16, 8);
    let len = |bytes: &[u8]| u32::try_from(bytes.len()).expect("short");
    let table_bytes = |entries: u32| 2 + 12 * entries + 4;
    let camera = TABLE + table_bytes(3);
    let place = camera + table_bytes(1);
    let second = place + table_bytes(2);
    let note_at = second + table_bytes(2);
    let latitude_at = note_at + len(note);
    let thumbnail_at = latitude_at + len(&GPS_LATITUDE);

    let mut tiff = b"II*\0\x08\0\0\0".to_vec();
    let mut table = |entries: &[(u16, u16, u32, u32)], next: u32| {
        tiff.extend(u16::try_from(entries.len()).expect("few").to_le_bytes());
        for (tag, kind, count, value) in entries {
            tiff.extend(tag.to_le_bytes());
            tiff.extend(kind.to_le_bytes());
            tiff.extend(count.to_le_bytes());
            tiff.extend(value.to_le_bytes());
        }
        tiff.extend(next.to_le_bytes());
    };
    table(&[(0x0112, SHORT, 1, orientation.into()), (0x8769, LONG, 1, camera), (0x8825, LONG, 1, place)], second);
    table(&[(0x927C, UNDEFINED, len(note), note_at)], 0);
    table(&[(1, ASCII, 2, u32::from(b'N')), (2, RATIONAL, 3, latitude_at)], 0);
    table(&[(0x0201, LONG, 1, thumbnail_at), (0x0202, LONG, 1, len(&thumbnail))], 0);
    [b"Exif\0\0", &tiff[..], note, &GPS_LATITUDE, &thumbnail].concat()
}

/// Puts segments right after the start of a JPEG.
fn with_segments(jpeg: &[u8], segments: &[(u8, &[u8])]) -> Vec<u8> {
    let mut bytes = jpeg[..2].to_vec();
    for (marker, data) in segments {
        segment(&mut bytes, *marker, data);
    }
    bytes.extend(&jpeg[2..]);
    bytes
}

fn segment(bytes: &mut Vec<u8>, marker: u8, data: &[u8]) {
    bytes.extend([0xFF, marker]);
    bytes.extend(u16::try_from(data.len() + 2).expect("a segment is short").to_be_bytes());
    bytes.extend(data);
}

/// Puts chunks right after the header of a PNG.
fn with_chunks(png: &[u8], chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    const AFTER_HEADER: usize = 8 + 12 + 13;
    let mut bytes = png[..AFTER_HEADER].to_vec();
    for (kind, data) in chunks {
        chunk(&mut bytes, kind, data);
    }
    bytes.extend(&png[AFTER_HEADER..]);
    bytes
}

fn chunk(bytes: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    bytes.extend(u32::try_from(data.len()).expect("a chunk is short").to_be_bytes());
    bytes.extend(kind);
    bytes.extend(data);
    bytes.extend(crc(&[kind, data].concat()).to_be_bytes());
}

fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 })
    })
}

fn png_of_zeros(width: u32, height: u32, bytes_inflated: u64) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1A\n".to_vec();
    chunk(&mut bytes, b"IHDR", &[&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 6, 0, 0, 0]].concat());
    chunk(&mut bytes, b"IDAT", &zeros_deflated(bytes_inflated));
    chunk(&mut bytes, b"IEND", &[]);
    bytes
}

/// A zlib stream of at least so many zeros, without ever having them in memory: one zero, then "258 times the byte
/// before", which takes 13 bits, so that eight of them take 13 bytes.
fn zeros_deflated(count: u64) -> Vec<u8> {
    let eights = count.div_ceil(8 * 258);
    // A last block with fixed codes; a literal zero. Deflate fills bytes from the low bit, and sends codes high bit first.
    let mut bits: Vec<bool> = [1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0].map(|bit| bit == 1).to_vec();
    let repeat = [1, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0].map(|bit| bit == 1);
    // After 8 × 13 bits the pattern is at the same place in its byte again: build one byte-aligned round, repeat that.
    (0..9).for_each(|_| bits.extend(repeat));
    let pack = |bits: &[bool]| -> Vec<u8> {
        bits.chunks(8).map(|byte| byte.iter().rev().fold(0, |packed, bit| packed << 1 | u8::from(*bit))).collect()
    };
    let mut deflated = vec![0x78, 0x01];
    deflated.extend(pack(&bits[..16]));
    let round = pack(&bits[16..16 + 104]);
    (0..eights).for_each(|_| deflated.extend(&round));
    // Now in the middle of a repeat, as after the first 16 bits: end it, then the end of the block (seven zeros).
    let into_repeat = 16 - 11;
    let mut tail = repeat[into_repeat..].to_vec();
    tail.extend([false; 7]);
    deflated.extend(pack(&tail));
    let zeros = 1 + 258 * (8 * eights + 1);
    deflated.extend(((u32::try_from(zeros % 65_521).expect("small") << 16) | 1).to_be_bytes());
    deflated
}

fn riff(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut body = b"WEBP".to_vec();
    for (kind, data) in chunks {
        body.extend(*kind);
        body.extend(u32::try_from(data.len()).expect("a chunk is short").to_le_bytes());
        body.extend(*data);
        body.resize(body.len().next_multiple_of(2), 0);
    }
    [b"RIFF", &u32::try_from(body.len()).expect("short").to_le_bytes()[..], &body].concat()
}

/// Bits from the high end, as JPEG takes them.
#[derive(Default)]
struct Bits(Vec<bool>);

impl Bits {
    fn push(&mut self, value: u32, count: u32) {
        self.0.extend((0..count).rev().map(|bit| value >> bit & 1 == 1));
    }

    /// Filled up with ones, and a zero after each byte that would look like a marker.
    fn stuffed(mut self) -> Vec<u8> {
        self.0.resize(self.0.len().next_multiple_of(8), true);
        let bytes = self.0.chunks(8).map(|byte| byte.iter().fold(0, |packed, bit| packed << 1 | u8::from(*bit)));
        bytes.flat_map(|byte: u8| if byte == 0xFF { vec![byte, 0] } else { vec![byte] }).collect()
    }
}
