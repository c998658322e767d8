//! Pictures with something on them, drawn from a seed.

use std::io::Cursor;

use image::{Rgb, RgbImage, codecs::jpeg::JpegEncoder};

/// A thing on a plate: where, how large, in which colour.
struct Thing {
    x: f32,
    y: f32,
    radius: f32,
    colour: [u8; 3],
}

/// A plate with things on it as a JPEG: others for each seed, the same in every size and quality.
pub(crate) fn scene(seed: u32, width: u32, height: u32, quality: u8) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    let mut number = |below: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) % below
    };
    let mut part = |below: u32| number(below) as f32 / 1000.0;
    let places: Vec<_> = (0..16).map(|_| (part(1000), part(1000), 0.08 + part(160))).collect();
    let mut colour = || [number(256), number(256), number(256)].map(|part| part.to_le_bytes()[0]);
    let things: Vec<_> = places.into_iter().map(|(x, y, radius)| Thing { x, y, radius, colour: colour() }).collect();
    let picture = RgbImage::from_fn(width, height, |x, y| {
        let (x, y) = (x as f32 / width as f32, y as f32 / height as f32);
        let on_top = things.iter().rev().find(|thing| (x - thing.x).hypot(y - thing.y) < thing.radius);
        Rgb(on_top.map_or([235, 230, 220], |thing| thing.colour))
    });
    encoded(&picture, quality)
}

/// A picture of nothing.
pub(crate) fn plain(colour: [u8; 3]) -> Vec<u8> {
    encoded(&RgbImage::from_pixel(300, 200, Rgb(colour)), 80)
}

fn encoded(picture: &RgbImage, quality: u8) -> Vec<u8> {
    let mut jpeg = Cursor::new(Vec::new());
    JpegEncoder::new_with_quality(&mut jpeg, quality).encode_image(picture).unwrap();
    jpeg.into_inner()
}
