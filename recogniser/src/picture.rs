//! Pixels on their way in: a JPEG is opened, the middle is cut out and brought to the side the network was trained on.
//!
//! This is not for files from strangers: it bounds the size, and leaves it to `lastbite-photo` to refuse what is
//! malicious and to turn pictures upright.

use std::io::Cursor;

use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer, images::Image, images::ImageRef};
use image::{DynamicImage, ImageDecoder, codecs::jpeg::JpegDecoder};

use crate::network::INPUT_SIDE_PX;

/// Stored photos have no longer side.
pub const PICTURE_SIDE_PX_MAX: u32 = 1_600;

/// Of the short side: the network was trained and measured with 224 px out of 256.
const MIDDLE_PERMILLE: u32 = 875;

const CHANNELS: usize = 3;

/// Why there is nothing to recognise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAPicture {
    #[error("the file is not a JPEG, or it is damaged")]
    NotJpeg,
    #[error("each side of a picture has 1 to {PICTURE_SIDE_PX_MAX} px")]
    Sides,
    #[error("a picture has three bytes a pixel")]
    Bytes,
}

/// An upright picture: rows from the top, pixels from the left, red, green and blue as bytes, in sRGB.
#[derive(Clone, PartialEq, Eq)]
pub struct Rgb8Picture {
    width_px: u32,
    height_px: u32,
    /// `width_px * height_px * 3` bytes.
    bytes: Vec<u8>,
}

impl Rgb8Picture {
    /// Each side has 1 to [`PICTURE_SIDE_PX_MAX`] pixels.
    pub fn new(width_px: u32, height_px: u32, bytes: Vec<u8>) -> Result<Self, NotAPicture> {
        check_sides(width_px, height_px)?;
        if bytes.len() != width_px as usize * height_px as usize * CHANNELS {
            return Err(NotAPicture::Bytes);
        }
        Ok(Self { width_px, height_px, bytes })
    }

    /// Opens a JPEG; a grey one becomes coloured, its metadata is not read.
    pub fn from_jpeg(jpeg: &[u8]) -> Result<Self, NotAPicture> {
        let decoder = JpegDecoder::new(Cursor::new(jpeg)).map_err(|_| NotAPicture::NotJpeg)?;
        // Before anything is allocated for the pixels.
        let (width_px, height_px) = decoder.dimensions();
        check_sides(width_px, height_px)?;
        let decoded = DynamicImage::from_decoder(decoder).map_err(|_| NotAPicture::NotJpeg)?;
        Self::new(width_px, height_px, decoded.into_rgb8().into_raw())
    }
}

fn check_sides(width_px: u32, height_px: u32) -> Result<(), NotAPicture> {
    let fits = |side_px| (1..=PICTURE_SIDE_PX_MAX).contains(&side_px);
    if fits(width_px) && fits(height_px) { Ok(()) } else { Err(NotAPicture::Sides) }
}

/// What the network sees: the middle square, each colour from -1 to 1.
pub(crate) fn to_input(picture: &Rgb8Picture) -> Vec<f32> {
    middle(picture).into_iter().map(|colour| f32::from(colour) / 127.5 - 1.0).collect()
}

fn middle(picture: &Rgb8Picture) -> Vec<u8> {
    let Rgb8Picture { width_px, height_px, .. } = *picture;
    let side_px = (width_px.min(height_px) * MIDDLE_PERMILLE).div_ceil(1_000);
    // Whole pixels; of an odd rest the smaller half goes left and above.
    let (left_px, top_px) = ((width_px - side_px) / 2, (height_px - side_px) / 2);
    let how = ResizeOptions::new()
        .crop(left_px.into(), top_px.into(), side_px.into(), side_px.into())
        .resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom));
    let mut shrunk = Image::new(INPUT_SIDE_PX as u32, INPUT_SIDE_PX as u32, PixelType::U8x3);
    ImageRef::new(width_px, height_px, &picture.bytes, PixelType::U8x3)
        .map_err(|_| "the length was checked")
        .and_then(|source| Resizer::new().resize(&source, &mut shrunk, &how).map_err(|_| "the crop lies inside"))
        .expect("a checked picture can be resized");
    shrunk.into_vec()
}
