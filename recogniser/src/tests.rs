//! The recogniser against a photo, against another implementation's numbers, and with pictures nobody would take.

use super::*;

const ESPRESSO: &[u8] = include_bytes!("../fixtures/espresso.jpg");
/// The first logits of [`golden_picture`], by the numpy implementation in `tools/recogniser.py`.
const GOLDEN_LOGITS: &str = include_str!("../fixtures/golden_logits.txt");

fn recogniser() -> Recogniser {
    Recogniser::load().unwrap()
}

fn plain(width_px: u32, height_px: u32, colour: [u8; 3]) -> Rgb8Picture {
    Rgb8Picture::new(width_px, height_px, colour.repeat((width_px * height_px) as usize)).unwrap()
}

/// A disc on a slope; the converter draws the same one. The middle of 256 px is 224 px, so nothing is resized.
fn golden_picture() -> Rgb8Picture {
    let mut bytes = Vec::new();
    for (y, x) in (0..256 * 256_i32).map(|pixel| (pixel / 256, pixel % 256)) {
        let in_disc = (x - 120).pow(2) + (y - 136).pow(2) < 70 * 70;
        let colours = if in_disc { [200 - x / 4, 40 + y / 2, x * y % 64] } else { [y / 2 + 20, x / 2 + 60, 90] };
        bytes.extend(colours.map(|colour| u8::try_from(colour).unwrap()));
    }
    Rgb8Picture::new(256, 256, bytes).unwrap()
}

#[test]
fn an_espresso_is_an_espresso() {
    let guesses = recogniser().classify_jpeg(ESPRESSO).unwrap();
    assert_eq!((guesses[0].class, guesses[0].label), (967, "espresso"));
    assert!(guesses[0].permille >= 800, "{guesses:?}");
    assert_eq!(guesses.len(), GUESSES);
    assert!(guesses.is_sorted_by(|a, b| a.permille >= b.permille), "{guesses:?}");
}

#[test]
fn the_logits_are_those_of_another_implementation() {
    let logits = recogniser().network.logits(&to_input(&golden_picture()));
    let golden: Vec<f32> = GOLDEN_LOGITS.lines().map(|line| line.parse().unwrap()).collect();
    assert_eq!((logits.len(), golden.len()), (CLASSES, 20));
    for (class, (ours, theirs)) in logits.iter().zip(golden).enumerate() {
        assert!((ours - theirs).abs() < 0.01, "class {class}: {ours} and not {theirs}");
    }
}

#[test]
fn odd_pictures_get_guesses_too() {
    let recogniser = recogniser();
    for (width_px, height_px) in [(1, 1), (2, 1), (1, 1_600), (1_600, 1), (3, 1_600), (224, 224), (1_600, 1_600)] {
        let guesses = recogniser.classify(&plain(width_px, height_px, [128; 3]));
        let sum: u16 = guesses.iter().map(|guess| guess.permille).sum();
        assert!(guesses.len() == GUESSES && sum <= 1_000, "{width_px} x {height_px}: {guesses:?}");
    }
}

#[test]
fn the_surroundings_do_not_count() {
    let recogniser = recogniser();
    // Seven eighths of the short side: the square of 175 px that begins at (112, 12), and what shrinking sees at its edges.
    let in_middle = |x, y| (108..291).contains(&x) && (8..191).contains(&y);
    let pixels = (0..400 * 200).map(|pixel| (pixel % 400, pixel / 400));
    let bytes = pixels.flat_map(|(x, y)| if in_middle(x, y) { [120, 80, 40] } else { [255, 0, 0] }).collect();
    let framed = Rgb8Picture::new(400, 200, bytes).unwrap();
    assert_eq!(recogniser.classify(&framed), recogniser.classify(&plain(175, 175, [120, 80, 40])));
}

#[test]
fn a_picture_has_sides_and_three_bytes_a_pixel() {
    let refusal = |width_px, height_px, bytes| Rgb8Picture::new(width_px, height_px, vec![0; bytes]).err();
    assert_eq!(refusal(2, 2, 12), None);
    assert_eq!(refusal(2, 2, 11), Some(NotAPicture::Bytes));
    assert_eq!(refusal(2, 2, 16), Some(NotAPicture::Bytes));
    assert_eq!(refusal(0, 2, 0), Some(NotAPicture::Sides));
    assert_eq!(refusal(1, 1_601, 4_803), Some(NotAPicture::Sides));
    assert_eq!(refusal(u32::MAX, u32::MAX, 0), Some(NotAPicture::Sides));
}

#[test]
fn what_is_not_a_jpeg_is_refused() {
    let recogniser = recogniser();
    let refusal = |file: &[u8]| recogniser.classify_jpeg(file).err();
    assert_eq!(refusal(b""), Some(NotAPicture::NotJpeg));
    assert_eq!(refusal(b"\x89PNG\r\n\x1A\n"), Some(NotAPicture::NotJpeg));
    assert_eq!(refusal(&ESPRESSO[..200]), Some(NotAPicture::NotJpeg));
    let frame = ESPRESSO.windows(2).position(|marker| matches!(marker, [0xFF, 0xC0 | 0xC2])).unwrap();
    let mut large = ESPRESSO.to_vec();
    // Marker, length, bits, then the height.
    large[frame + 5..frame + 7].copy_from_slice(&1_601_u16.to_be_bytes());
    assert_eq!(refusal(&large), Some(NotAPicture::Sides));
}

#[test]
fn a_grey_jpeg_is_a_picture() {
    let mut jpeg = Vec::new();
    let grey = image::GrayImage::from_fn(40, 30, |x, y| image::Luma([(x * 3 + y) as u8]));
    grey.write_with_encoder(image::codecs::jpeg::JpegEncoder::new(&mut jpeg)).unwrap();
    assert_eq!(recogniser().classify_jpeg(&jpeg).unwrap().len(), GUESSES);
}

#[test]
fn a_wrong_model_is_refused() {
    let short = Recogniser::from_model(&MODEL[2..], LABELS).err().unwrap();
    assert_eq!(short, WrongModel::Weights { found: 9_261_998, expected: 9_262_000 });
    let long = Recogniser::from_model(&[MODEL, &[0]].concat(), LABELS).err().unwrap();
    assert_eq!(long, WrongModel::Weights { found: 9_262_001, expected: 9_262_000 });
    let few = Recogniser::from_model(MODEL, "tench\ngoldfish\n").err().unwrap();
    assert_eq!(few, WrongModel::Labels { found: 2 });
}

#[test]
fn certainty_is_whole_and_never_more_than_there_is() {
    let recogniser = recogniser();
    let mut logits = vec![0.0; CLASSES];
    let even = recogniser.best(&logits);
    assert!(even.iter().all(|guess| guess.permille <= 1), "{even:?}");
    // Powers of such numbers do not fit single precision.
    logits[924] = 300.0;
    let sure = recogniser.best(&logits);
    assert_eq!((sure[0].label, sure[0].permille, sure[1].permille), ("guacamole", 1_000, 0));
}
