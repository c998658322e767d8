//! The pictures that the demo's players take: plates drawn once at the start, real JPEGs of 640 × 480 pixels. They are
//! there to travel the way a photo travels, not to be recognised by anybody.

use anyhow::Context as _;
use bytes::Bytes;
use image::{Rgb, RgbImage, codecs::jpeg::JpegEncoder};

use super::plan::Dice;

const WIDTH_PX: u32 = 640;
const HEIGHT_PX: u32 = 480;
const JPEG_QUALITY: u8 = 85;

/// What can be seen on a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plate {
    /// Rice under vegetables of five colours and an egg.
    Bibimbap,
    /// Noodles in broth.
    Noodles,
    /// Leaves, tomatoes and slices.
    Salad,
    /// A red stew in a black pot.
    Stew,
}

/// The drawn pictures.
#[derive(Clone, Debug)]
pub struct Plates {
    bibimbap: Bytes,
    noodles: Bytes,
    salad: Bytes,
    stew: Bytes,
}

impl Plates {
    /// Draws all of them. Takes some hundred milliseconds without optimisation: not for an async task.
    ///
    /// # Errors
    /// When a picture cannot be encoded.
    pub fn draw() -> anyhow::Result<Self> {
        Ok(Self { bibimbap: jpeg(bibimbap)?, noodles: jpeg(noodles)?, salad: jpeg(salad)?, stew: jpeg(stew)? })
    }

    /// The JPEG.
    #[must_use]
    pub fn get(&self, plate: Plate) -> Bytes {
        match plate {
            Plate::Bibimbap => self.bibimbap.clone(),
            Plate::Noodles => self.noodles.clone(),
            Plate::Salad => self.salad.clone(),
            Plate::Stew => self.stew.clone(),
        }
    }
}

fn jpeg(draw: fn(&mut Canvas)) -> anyhow::Result<Bytes> {
    let mut canvas = Canvas::table();
    draw(&mut canvas);
    let mut file = Vec::new();
    JpegEncoder::new_with_quality(&mut file, JPEG_QUALITY).encode_image(&canvas.image).context("drawing a plate")?;
    Ok(file.into())
}

const WHITE: Rgb<u8> = Rgb([246, 244, 238]);
const RICE: Rgb<u8> = Rgb([250, 247, 236]);
const YOLK: Rgb<u8> = Rgb([247, 178, 32]);
const GREEN: Rgb<u8> = Rgb([74, 132, 52]);
const CARROT: Rgb<u8> = Rgb([232, 122, 36]);
const CHILLI: Rgb<u8> = Rgb([196, 40, 28]);
const BROTH: Rgb<u8> = Rgb([222, 178, 110]);
const NOODLE: Rgb<u8> = Rgb([244, 220, 158]);
const BEEF: Rgb<u8> = Rgb([104, 62, 42]);
const IRON: Rgb<u8> = Rgb([44, 42, 44]);

fn bibimbap(canvas: &mut Canvas) {
    canvas.dish(WHITE, RICE);
    let sectors = [GREEN, CARROT, BEEF, Rgb([234, 226, 190]), Rgb([128, 88, 140]), Rgb([214, 198, 88])];
    for (place, colour) in (0_u8..).zip(sectors) {
        let (sin, cos) = (f32::from(place) * std::f32::consts::TAU / 6.0).sin_cos();
        canvas.pile(320.0 + cos * 105.0, 240.0 + sin * 92.0, colour);
    }
    canvas.ellipse(320.0, 240.0, 62.0, 56.0, WHITE);
    canvas.ellipse(324.0, 236.0, 27.0, 25.0, YOLK);
}

fn noodles(canvas: &mut Canvas) {
    canvas.dish(WHITE, BROTH);
    for strand in 0_u8..16 {
        let radius = 145.0 - f32::from(strand) * 8.0;
        let colour = if strand % 2 == 0 { NOODLE } else { BROTH };
        canvas.ellipse(320.0 + f32::from(strand % 3) * 4.0, 246.0, radius, radius * 0.8, colour);
    }
    canvas.ellipse(260.0, 200.0, 46.0, 38.0, WHITE);
    canvas.ellipse(260.0, 200.0, 22.0, 19.0, YOLK);
    canvas.scatter(14, 9.0, GREEN);
    canvas.scatter(5, 20.0, BEEF);
}

fn salad(canvas: &mut Canvas) {
    canvas.dish(WHITE, Rgb([226, 232, 206]));
    canvas.scatter(40, 34.0, GREEN);
    canvas.scatter(30, 26.0, Rgb([122, 178, 74]));
    canvas.scatter(9, 22.0, CHILLI);
    canvas.scatter(8, 18.0, CARROT);
    canvas.scatter(6, 24.0, RICE);
}

fn stew(canvas: &mut Canvas) {
    canvas.dish(IRON, Rgb([172, 58, 26]));
    canvas.scatter(26, 12.0, CHILLI);
    canvas.scatter(9, 30.0, RICE);
    canvas.scatter(16, 13.0, GREEN);
    canvas.scatter(6, 24.0, BEEF);
}

struct Canvas {
    image: RgbImage,
    dice: Dice,
}

impl Canvas {
    /// A wooden table in the light of a window.
    fn table() -> Self {
        let image = RgbImage::from_fn(WIDTH_PX, HEIGHT_PX, |x, y| {
            let light = (x / 16 + y / 12) as u8;
            let grain = ((x * 7 + y / 40 * 131) % 23) as u8;
            Rgb([188 - light - grain, 144 - light - grain, 96 - light / 2 - grain])
        });
        Self { image, dice: Dice::thrown_for(0, 0, 0) }
    }

    /// The dish with its shadow, and what fills it.
    fn dish(&mut self, rim: Rgb<u8>, filling: Rgb<u8>) {
        self.ellipse(336.0, 260.0, 226.0, 202.0, Rgb([84, 62, 42]));
        self.ellipse(320.0, 240.0, 226.0, 202.0, rim);
        self.ellipse(320.0, 240.0, 204.0, 182.0, shaded(rim, 0.88));
        self.ellipse(320.0, 244.0, 186.0, 164.0, filling);
    }

    /// A heap of thin pieces.
    fn pile(&mut self, x: f32, y: f32, colour: Rgb<u8>) {
        for _ in 0..26 {
            let (dx, dy) = (self.within(44.0), self.within(36.0));
            let shade = 0.8 + self.within(0.2).abs();
            self.ellipse(x + dx, y + dy, 20.0, 6.0, shaded(colour, shade));
        }
    }

    /// Pieces all over the filling.
    fn scatter(&mut self, pieces: u32, radius: f32, colour: Rgb<u8>) {
        for _ in 0..pieces {
            let (dx, dy) = (self.within(118.0), self.within(98.0));
            let shade = 0.8 + self.within(0.2).abs();
            self.ellipse(320.0 + dx, 244.0 + dy, radius, radius * 0.78, shaded(colour, shade));
        }
    }

    /// From −`most` to `most`.
    fn within(&mut self, most: f32) -> f32 {
        (self.dice.below(2001) as f32 / 1000.0 - 1.0) * most
    }

    /// A filled ellipse with an edge one pixel soft and light from the upper left.
    fn ellipse(&mut self, x: f32, y: f32, rx: f32, ry: f32, colour: Rgb<u8>) {
        let span = |middle: f32, radius: f32, end: u32| {
            let from = (middle - radius - 1.0).max(0.0) as u32;
            from..((middle + radius + 2.0).max(0.0) as u32).min(end)
        };
        for py in span(y, ry, HEIGHT_PX) {
            for px in span(x, rx, WIDTH_PX) {
                let (dx, dy) = ((px as f32 - x) / rx, (py as f32 - y) / ry);
                let inside = ((1.0 - dx.hypot(dy)) * rx.min(ry)).clamp(0.0, 1.0);
                if inside > 0.0 {
                    let lit = shaded(colour, 1.0 - (dx + dy) * 0.06);
                    let pixel = self.image.get_pixel_mut(px, py);
                    for (under, over) in pixel.0.iter_mut().zip(lit.0) {
                        *under = (f32::from(*under) * (1.0 - inside) + f32::from(over) * inside) as u8;
                    }
                }
            }
        }
    }
}

fn shaded(colour: Rgb<u8>, by: f32) -> Rgb<u8> {
    Rgb(colour.0.map(|channel| (f32::from(channel) * by).min(255.0) as u8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_plate_is_a_jpeg_of_its_own() {
        let plates = Plates::draw().expect("drawn");
        let files = [Plate::Bibimbap, Plate::Noodles, Plate::Salad, Plate::Stew].map(|plate| plates.get(plate));
        for (place, file) in files.iter().enumerate() {
            let picture = image::load_from_memory(file).expect("a picture");
            assert_eq!((picture.width(), picture.height()), (WIDTH_PX, HEIGHT_PX));
            assert!(files[place + 1..].iter().all(|other| other != file));
        }
    }
}
