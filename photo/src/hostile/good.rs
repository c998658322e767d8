//! Good pictures, in every way of writing one that is taken, each with all the metadata that its format has room for.
//! What is done to them is in `damage.rs`.
//!
//! The files in `photo/fixtures` hold what the encoders at hand cannot write. They show 72 × 48 pixels of a gradient,
//! made in code and encoded by libvips and ImageMagick.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, Rgb32FImage, RgbImage};

use super::{Kind, pieces};

pub(super) const WIDTH_PX: u32 = 72;
pub(super) const HEIGHT_PX: u32 = 48;

/// In every piece of metadata, and in no picture.
pub(super) const MARKER: &[u8] = b"hostile-marker";

pub(super) struct Good {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) bytes: Vec<u8>,
}

/// All of them, to be turned by 90°.
pub(super) fn pictures() -> Vec<Good> {
    let colours = DynamicImage::ImageRgb8(RgbImage::from_fn(WIDTH_PX, HEIGHT_PX, |x, y| {
        image::Rgb([x * 3, y * 5, x * y / 16].map(|level| level.to_le_bytes()[0]))
    }));
    let fine = DynamicImage::ImageRgb32F(Rgb32FImage::from_fn(WIDTH_PX, HEIGHT_PX, |x, y| {
        image::Rgb([0.013_f32 * f32::from(x.to_le_bytes()[0]), 0.02 * f32::from(y.to_le_bytes()[0]), 0.5])
    }));
    let see_through = {
        let mut picture = colours.to_rgba8();
        picture.enumerate_pixels_mut().for_each(|(x, _, pixel)| pixel[3] = x.to_le_bytes()[0] * 3);
        DynamicImage::ImageRgba8(picture)
    };
    let grey_see_through = DynamicImage::ImageLumaA8(see_through.to_luma_alpha8());
    let (jpeg, png, webp) = (ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP);
    vec![
        jpeg_of("jpeg", &encoded(&colours, jpeg)),
        jpeg_of("jpeg, grey", &encoded(&colours.to_luma8().into(), jpeg)),
        jpeg_of("jpeg, halved colour", include_bytes!("../../fixtures/halved_colour.jpg")),
        jpeg_of("jpeg, progressive", include_bytes!("../../fixtures/progressive.jpg")),
        jpeg_of("jpeg, restarts", include_bytes!("../../fixtures/restarts.jpg")),
        png_of("png", &encoded(&colours, png)),
        png_of("png, grey and see-through", &encoded(&grey_see_through, png)),
        png_of("png, see-through", &encoded(&see_through, png)),
        png_of("png, sixteen bits", &encoded(&fine.to_rgba16().into(), png)),
        png_of("png, palette", include_bytes!("../../fixtures/palette.png")),
        png_of("png, interlaced", include_bytes!("../../fixtures/interlaced.png")),
        webp_of("webp, lossless", &encoded(&colours, webp)),
        webp_of("webp, lossless and see-through", &encoded(&see_through, webp)),
        webp_of("webp, lossy", include_bytes!("../../fixtures/lossy.webp")),
        webp_of("webp, lossy and see-through", include_bytes!("../../fixtures/see_through.webp")),
    ]
}

/// A plain one, for those who only need any.
pub(super) fn plain(kind: Kind) -> Vec<u8> {
    let format = match kind {
        Kind::Jpeg => ImageFormat::Jpeg,
        Kind::Png => ImageFormat::Png,
        Kind::Webp => ImageFormat::WebP,
    };
    encoded(&DynamicImage::new_rgb8(16, 8), format)
}

/// A TIFF block, as all three formats hold it: the orientation, a maker note, a second table with a thumbnail.
pub(super) fn exif(orientation: u8) -> Vec<u8> {
    const AFTER_TABLES: u32 = 8 + 30 + 30;
    let thumbnail = plain(Kind::Jpeg);
    let note_at = AFTER_TABLES + u32::try_from(thumbnail.len()).unwrap();
    let mut tiff = b"MM\0\x2A\0\0\0\x08".to_vec();
    let mut table = |entries: [[u32; 4]; 2], next: u32| {
        tiff.extend([0, 2]);
        for [tag, kind, count, value] in entries {
            tiff.extend(&tag.to_be_bytes()[2..]);
            tiff.extend(&kind.to_be_bytes()[2..]);
            tiff.extend(count.to_be_bytes());
            tiff.extend(value.to_be_bytes());
        }
        tiff.extend(next.to_be_bytes());
    };
    table([[0x0112, 3, 1, u32::from(orientation) << 16], [0x927C, 7, 14, note_at]], 38);
    table([[0x0201, 4, 1, AFTER_TABLES], [0x0202, 4, 1, note_at - AFTER_TABLES]], 0);
    [&tiff, &thumbnail, MARKER].concat()
}

fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn jpeg_of(name: &'static str, plain: &[u8]) -> Good {
    let mut parts = pieces::split(Kind::Jpeg, plain);
    let after_start = [
        pieces::segment(0xE1, &[&b"Exif\0\0"[..], &exif(6)].concat()),
        pieces::segment(0xE1, &[&b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>"[..], MARKER].concat()),
        pieces::segment(0xE2, &[&b"ICC_PROFILE\0\x01\x01"[..], MARKER].concat()),
        pieces::segment(0xE2, &[&b"MPF\0II*\0"[..], MARKER].concat()),
        pieces::segment(0xED, &[&b"Photoshop 3.0\08BIM\x04\x04\0\0\0\0\0\x13\x1C\x02\x78\0\x0E"[..], MARKER].concat()),
        pieces::segment(0xEF, MARKER),
        pieces::segment(0xFE, MARKER),
    ];
    parts.splice(1..1, after_start);
    parts.push(MARKER.to_vec());
    Good { name, kind: Kind::Jpeg, bytes: parts.concat() }
}

fn png_of(name: &'static str, plain: &[u8]) -> Good {
    let mut parts = pieces::split(Kind::Png, plain);
    let stored = pieces::stored(MARKER);
    let after_header = [
        pieces::chunk(b"iCCP", &[&b"profile\0\0"[..], &stored].concat()),
        pieces::chunk(b"eXIf", &exif(6)),
        pieces::chunk(b"tEXt", &[&b"Comment\0"[..], MARKER].concat()),
        pieces::chunk(b"zTXt", &[&b"Comment\0\0"[..], &stored].concat()),
        pieces::chunk(b"iTXt", &[&b"XML:com.adobe.xmp\0\0\0\0\0http://ns.adobe.com/"[..], MARKER].concat()),
        pieces::chunk(b"prVt", MARKER),
    ];
    parts.splice(2..2, after_header);
    parts.push(MARKER.to_vec());
    Good { name, kind: Kind::Png, bytes: parts.concat() }
}

fn webp_of(name: &'static str, plain: &[u8]) -> Good {
    let mut parts = pieces::split(Kind::Webp, plain);
    let is_simple = parts.len() == 2;
    let alpha_is_there = !is_simple || name.contains("see-through");
    // Profile, EXIF, XMP; alpha where there is some.
    let flags = 0x2C | if alpha_is_there { 0x10 } else { 0 };
    let head = pieces::webp_chunk(b"VP8X", &[flags, 0, 0, 0, 71, 0, 0, 47, 0, 0]);
    parts.splice(1..if is_simple { 1 } else { 2 }, [head, pieces::webp_chunk(b"ICCP", MARKER)]);
    parts.push(pieces::webp_chunk(b"EXIF", &exif(6)));
    parts.push(pieces::webp_chunk(b"XMP ", &[&b"http://ns.adobe.com/xap/1.0/"[..], MARKER].concat()));
    parts.push(pieces::webp_chunk(b"prvt", MARKER));
    Good { name, kind: Kind::Webp, bytes: pieces::join(Kind::Webp, parts) }
}
