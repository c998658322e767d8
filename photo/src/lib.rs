//! A player's photo: any bytes in, two clean JPEGs out, or the reason why not.
//!
//! Three things make this safe, in this order:
//!
//! 1. `strip` reads only the container: the type by content, the size in pixels, whether there is one frame, whether
//!    the file is whole. It copies the parts that carry the picture and leaves out everything else (EXIF, XMP, IPTC, ICC,
//!    comments, text, trailing data). So the decoders never meet metadata, and the checks and the decoder see one file.
//! 2. `decode` refuses what would need too much memory **before** it is allocated. The decoders' own limits are not
//!    enough (as of `image` 0.25): PNG keeps `max_alloc`, JPEG and WebP ignore it. So the need is worked out here.
//! 3. What comes out is encoded anew from pixels.
//!
//! This is not: HTTP, storage, or the naming of foods. Colours of a wide-gamut profile are read as sRGB, since profiles
//! are dropped and not applied.

use std::{
    io::{self, BufRead, Cursor, Read, Seek, SeekFrom},
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use image::{
    DynamicImage, ImageDecoder, ImageError, Limits,
    codecs::{jpeg::JpegDecoder, jpeg::JpegEncoder, png::PngDecoder, webp::WebPDecoder},
    metadata::Orientation,
};
use tokio::{sync::Semaphore, time::timeout};

#[cfg(test)]
mod hostile;
mod jpeg;
mod png;
mod webp;

/// A photo of a good phone is 3 to 8 MiB.
pub const PHOTO_BYTES_MAX: usize = 10 * 1024 * 1024;
/// Longer sides are panoramas or attacks.
pub const PHOTO_SIDE_PX_MAX: u32 = 10_000;
/// The largest phone cameras have 48 or 50 megapixels.
pub const PHOTO_PIXELS_MAX: u64 = 50_000_000;
/// What one decoder may allocate. Two of them and the server must fit into 1 GiB.
pub const PHOTO_DECODER_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Cameras and encoders write about ten; each scan visits every block, however few bytes it has.
pub const PHOTO_JPEG_SCANS_MAX: usize = 32;
/// Decoding is pure CPU: more decoders than this would starve the sockets.
pub const PHOTO_DECODERS_MAX: usize = 2;
/// Each waiting call holds up to 10 MiB.
pub const PHOTO_WAITING_MAX: usize = 16;
/// How long a call waits for a decoder; then the answer is [`PhotoError::Busy`].
pub const PHOTO_WAIT_MS_MAX: u64 = 5_000;
/// How long one photo may take once it has a decoder.
pub const PHOTO_CLEAN_MS_MAX: u64 = 2_000;
/// Long side of the stored picture.
pub const PHOTO_LARGE_SIDE_PX: u32 = 1_600;
/// Long side of the thumbnail.
pub const PHOTO_SMALL_SIDE_PX: u32 = 320;
/// JPEG quality: no visible loss on food at a phone's size.
pub const PHOTO_QUALITY_PERCENT: u8 = 82;

/// The decoder asks for input in such pieces; between them the clock is looked at.
const READ_BYTES_MAX: usize = 4 * 1024;

/// A photo without a past: upright, sRGB, no metadata.
#[derive(Clone, Debug)]
pub struct CleanPhoto {
    /// JPEG, long side at most 1,600 px, never larger than the original.
    pub large: Bytes,
    /// JPEG, long side at most 320 px.
    pub small: Bytes,
    /// Of `large`, after turning it upright.
    pub width_px: u32,
    /// Of `large`, after turning it upright.
    pub height_px: u32,
    /// How it looks, whatever its size and quality: a difference hash, row by row from the top left in 8 times 8 places
    /// whether it gets brighter to the right. Pictures that differ in few bits look the same.
    pub looks: u64,
}

/// Why a file is not a photo we take. The sentence is for the player.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPhoto {
    #[error("The photo is empty.")]
    Empty,
    #[error("The photo is larger than {} MiB.", PHOTO_BYTES_MAX / (1024 * 1024))]
    TooLarge,
    #[error("The file is not a JPEG, PNG or WebP picture.")]
    UnknownType,
    #[error("HEIC, HEIF and AVIF pictures are not taken; send the photo as JPEG.")]
    Heic,
    #[error("The picture uses a rare variant of its format; send the photo as an ordinary JPEG.")]
    Unsupported,
    #[error("Moving pictures are not taken; send a still photo.")]
    Animated,
    #[error(
        "The picture is too big to open: at most {PHOTO_SIDE_PX_MAX} pixels a side and {} megapixels, less for \
         uncommon formats.",
        PHOTO_PIXELS_MAX / 1_000_000
    )]
    TooManyPixels,
    #[error("The picture is damaged or incomplete.")]
    Broken,
    #[error("The picture took too long to open.")]
    TooSlow,
}

impl BadPhoto {
    /// Stable name for clients.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "photo_empty",
            Self::TooLarge => "photo_too_large",
            Self::UnknownType | Self::Unsupported => "photo_type_unknown",
            Self::Heic => "photo_type_heic",
            Self::Animated => "photo_animated",
            Self::TooManyPixels => "photo_dimensions",
            Self::Broken => "photo_broken",
            Self::TooSlow => "photo_too_slow",
        }
    }
}

/// The player's doing, or ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PhotoError {
    #[error(transparent)]
    Bad(#[from] BadPhoto),
    /// Too many photos at once; the same photo may be sent again.
    #[error("Too many photos are being worked on; try again soon.")]
    Busy,
}

/// Where photos are cleaned: few decoders, a short queue, a time budget. Clones share all three.
#[derive(Clone, Debug)]
pub struct PhotoLab {
    /// Those who decode and those who wait. None left: busy, at once.
    places: Arc<Semaphore>,
    decoders: Arc<Semaphore>,
    decoders_max: usize,
    budget: Duration,
}

impl Default for PhotoLab {
    fn default() -> Self {
        Self::new(PHOTO_DECODERS_MAX, PHOTO_WAITING_MAX, Duration::from_millis(PHOTO_CLEAN_MS_MAX))
    }
}

impl PhotoLab {
    /// At most `decoders` at once, `waiting` in the queue, and `budget` for each photo that has a decoder.
    #[must_use]
    pub fn new(decoders: usize, waiting: usize, budget: Duration) -> Self {
        Self {
            places: Arc::new(Semaphore::new(decoders + waiting)),
            decoders: Arc::new(Semaphore::new(decoders)),
            decoders_max: decoders,
            budget,
        }
    }

    /// How many decoders are at work, those whose caller has gone away included.
    #[must_use]
    pub fn decoding(&self) -> usize {
        self.decoders_max.saturating_sub(self.decoders.available_permits())
    }

    /// Checks and cleans one photo.
    ///
    /// A thread cannot be stopped from outside. When the budget is over the caller is answered at once, while the thread
    /// keeps its decoder until it ends: PNG and lossless WebP end at their next read, the others by the bound on pixels
    /// and scans. So there are never more decoders than allowed, even under attack.
    pub async fn clean(&self, original: Bytes) -> Result<CleanPhoto, PhotoError> {
        // Wrong sizes need no decoder to be told.
        check_size(&original)?;
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| PhotoError::Busy)?;
        let wait = Duration::from_millis(PHOTO_WAIT_MS_MAX);
        let Ok(Ok(decoder)) = timeout(wait, Arc::clone(&self.decoders).acquire_owned()).await else {
            return Err(PhotoError::Busy);
        };
        let deadline = Deadline(Instant::now() + self.budget);
        let work = tokio::task::spawn_blocking(move || {
            let _held = (place, decoder);
            clean(&original, deadline)
        });
        match timeout(self.budget, work).await {
            Ok(Ok(cleaned)) => Ok(cleaned?),
            // A decoder that panics met a file its authors did not think of.
            Ok(Err(failed)) if failed.is_panic() => Err(BadPhoto::Broken.into()),
            // The runtime is going down.
            Ok(Err(_)) => Err(PhotoError::Busy),
            Err(_) => Err(BadPhoto::TooSlow.into()),
        }
    }
}

/// The whole work on one photo, in the caller's thread.
fn clean(original: &[u8], deadline: Deadline) -> Result<CleanPhoto, BadPhoto> {
    let stripped = strip(original)?;
    let orientation = stripped.orientation;
    let mut decoded = decode(stripped, deadline)?;
    deadline.check()?;
    flatten(&mut decoded);
    // Shrunk before it is turned and brought to eight bits: on the small picture these cost next to nothing.
    let mut large = shrink(decoded, PHOTO_LARGE_SIDE_PX)?;
    large.apply_orientation(orientation);
    let large = DynamicImage::ImageRgb8(large.into_rgb8());
    deadline.check()?;
    let (width_px, height_px) = (large.width(), large.height());
    let large_jpeg = encode(&large)?;
    let small = shrink(large, PHOTO_SMALL_SIDE_PX)?;
    Ok(CleanPhoto { large: large_jpeg, looks: looks_of(&small), small: encode(&small)?, width_px, height_px })
}

/// Of each pixel and its neighbour to the right, which is brighter; in a picture of 9 times 8 pixels.
fn looks_of(small: &DynamicImage) -> u64 {
    let tiny = small.resize_exact(9, 8, image::imageops::FilterType::Triangle).into_luma8();
    let places = (0..8).flat_map(|y| (0..8).map(move |x| (x, y)));
    places.fold(0, |looks, (x, y)| looks << 1 | u64::from(tiny.get_pixel(x, y)[0] < tiny.get_pixel(x + 1, y)[0]))
}

fn check_size(original: &[u8]) -> Result<(), BadPhoto> {
    match original.len() {
        0 => Err(BadPhoto::Empty),
        1..=PHOTO_BYTES_MAX => Ok(()),
        _ => Err(BadPhoto::TooLarge),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Jpeg,
    Png,
    Webp,
}

/// A picture without its metadata, not yet decoded.
struct Stripped {
    kind: Kind,
    bytes: Vec<u8>,
    width_px: u32,
    height_px: u32,
    orientation: Orientation,
    /// What the decoder allocates beside the pixels it hands out.
    scratch_bytes: u64,
}

impl Stripped {
    fn pixels(&self) -> u64 {
        u64::from(self.width_px) * u64::from(self.height_px)
    }

    fn check_dimensions(&self) -> Result<(), BadPhoto> {
        if self.pixels() == 0 {
            return Err(BadPhoto::Broken);
        }
        let side = self.width_px.max(self.height_px);
        if side > PHOTO_SIDE_PX_MAX || self.pixels() > PHOTO_PIXELS_MAX {
            return Err(BadPhoto::TooManyPixels);
        }
        Ok(())
    }
}

/// The type by its first bytes; the file's name and what its sender says do not count.
fn strip(original: &[u8]) -> Result<Stripped, BadPhoto> {
    let stripped = match original {
        [0xFF, 0xD8, 0xFF, ..] => jpeg::strip(original)?,
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => png::strip(original)?,
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => webp::strip(original)?,
        [_, _, _, _, b'f', b't', b'y', b'p', brands @ ..] if is_heif(brands) => return Err(BadPhoto::Heic),
        _ => return Err(BadPhoto::UnknownType),
    };
    stripped.check_dimensions()?;
    Ok(stripped)
}

/// The major brand of an ISO media file, of the HEIF family. (Compatible brands follow; phones write the major one.)
fn is_heif(brands: &[u8]) -> bool {
    let heif = [b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"mif2", b"msf1", b"avif", b"avis"];
    heif.iter().any(|brand| brands.starts_with(*brand))
}

/// An EXIF block, with or without the marker that JPEG puts before it.
fn orientation_of(exif: &[u8]) -> Option<Orientation> {
    Orientation::from_exif_chunk(exif.strip_prefix(b"Exif\0\0").unwrap_or(exif))
}

fn decode(stripped: Stripped, deadline: Deadline) -> Result<DynamicImage, BadPhoto> {
    let Stripped { kind, bytes, width_px, height_px, scratch_bytes, .. } = stripped;
    let mut limits = Limits::no_limits();
    limits.max_image_width = Some(PHOTO_SIDE_PX_MAX);
    limits.max_image_height = Some(PHOTO_SIDE_PX_MAX);
    limits.max_alloc = Some(PHOTO_DECODER_BYTES_MAX);
    let input = Input { bytes: Cursor::new(bytes), deadline };
    let decoder: Result<Box<dyn ImageDecoder>, ImageError> = match kind {
        Kind::Jpeg => JpegDecoder::new(input).map(|decoder| Box::new(decoder) as _),
        Kind::Png => PngDecoder::with_limits(input, limits.clone()).map(|decoder| Box::new(decoder) as _),
        Kind::Webp => WebPDecoder::new(input).map(|decoder| Box::new(decoder) as _),
    };
    let mut decoder = decoder.map_err(|error| deadline.blame(&error))?;
    // The decoder must see the picture that was checked.
    if decoder.dimensions() != (width_px, height_px) {
        return Err(BadPhoto::Broken);
    }
    if decoder.total_bytes().saturating_add(scratch_bytes) > PHOTO_DECODER_BYTES_MAX {
        return Err(BadPhoto::TooManyPixels);
    }
    decoder.set_limits(limits).map_err(|error| deadline.blame(&error))?;
    DynamicImage::from_decoder(decoder).map_err(|error| deadline.blame(&error))
}

/// Fits the long side into `side_px`; a smaller picture stays as it is.
fn shrink(picture: DynamicImage, side_px: u32) -> Result<DynamicImage, BadPhoto> {
    let (width, height) = (picture.width(), picture.height());
    let long = width.max(height);
    if long <= side_px {
        return Ok(picture);
    }
    let fit = |side: u32| {
        let scaled = (u64::from(side) * u64::from(side_px) + u64::from(long) / 2) / u64::from(long);
        u32::try_from(scaled).unwrap_or(side_px).max(1)
    };
    let mut shrunk = DynamicImage::new(fit(width), fit(height), picture.color());
    // Alpha is full everywhere by now; minding it would copy the whole picture.
    let how = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom)).use_alpha(false);
    Resizer::new().resize(&picture, &mut shrunk, &how).map_err(|_| BadPhoto::Unsupported)?;
    Ok(shrunk)
}

/// Puts see-through pictures on white, in place: a copy would double the memory.
fn flatten(picture: &mut DynamicImage) {
    match picture {
        DynamicImage::ImageLumaA8(picture) => {
            picture.chunks_exact_mut(2).for_each(|pixel| put_on_white(pixel, u8::MAX));
        }
        DynamicImage::ImageRgba8(picture) => picture.chunks_exact_mut(4).for_each(|pixel| put_on_white(pixel, u8::MAX)),
        DynamicImage::ImageLumaA16(picture) => {
            picture.chunks_exact_mut(2).for_each(|pixel| put_on_white(pixel, u16::MAX));
        }
        DynamicImage::ImageRgba16(picture) => {
            picture.chunks_exact_mut(4).for_each(|pixel| put_on_white(pixel, u16::MAX));
        }
        _ => {}
    }
}

/// One pixel whose last channel is alpha.
fn put_on_white<T: Copy + Into<u64> + TryFrom<u64>>(pixel: &mut [T], white: T) {
    let [colours @ .., alpha] = pixel else { return };
    let (cover, full) = ((*alpha).into(), white.into());
    if cover < full {
        for colour in colours {
            let mixed = ((*colour).into() * cover + full * (full - cover) + full / 2) / full;
            *colour = mixed.try_into().unwrap_or(white);
        }
        *alpha = white;
    }
}

fn encode(picture: &DynamicImage) -> Result<Bytes, BadPhoto> {
    let mut jpeg = Vec::with_capacity(256 * 1024);
    JpegEncoder::new_with_quality(&mut jpeg, PHOTO_QUALITY_PERCENT)
        .encode_image(picture)
        .map_err(|_| BadPhoto::Unsupported)?;
    Ok(jpeg.into())
}

#[derive(Clone, Copy, Debug)]
struct Deadline(Instant);

impl Deadline {
    fn check(self) -> Result<(), BadPhoto> {
        if Instant::now() < self.0 { Ok(()) } else { Err(BadPhoto::TooSlow) }
    }

    fn blame(self, error: &ImageError) -> BadPhoto {
        match (self.check(), error) {
            (Err(late), _) => late,
            (_, ImageError::Limits(_)) => BadPhoto::TooManyPixels,
            (_, ImageError::Unsupported(_)) => BadPhoto::Unsupported,
            _ => BadPhoto::Broken,
        }
    }
}

/// What a decoder reads from: small pieces, and an error once the deadline has passed.
struct Input {
    bytes: Cursor<Vec<u8>>,
    deadline: Deadline,
}

impl BufRead for Input {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.deadline.check().map_err(|late| io::Error::new(io::ErrorKind::TimedOut, late))?;
        let rest = self.bytes.fill_buf()?;
        Ok(&rest[..rest.len().min(READ_BYTES_MAX)])
    }

    fn consume(&mut self, bytes: usize) {
        self.bytes.consume(bytes);
    }
}

impl Read for Input {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(into)?;
        self.consume(read);
        Ok(read)
    }
}

impl Seek for Input {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.bytes.seek(to)
    }
}

/// Takes the first `count` bytes off `bytes`; fewer means that the file was cut short.
fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Result<&'a [u8], BadPhoto> {
    bytes.split_off(..count).ok_or(BadPhoto::Broken)
}
