//! WebP, read chunk by chunk (RFC 9649) and put into a new container: the parts that carry the picture are kept,
//! nothing is decoded.

use super::{BadPhoto, Kind, Orientation, Stripped, orientation_of, take};

/// Bytes of memory that a byte of lossless WebP can cost in code tables: the decoder builds a 4,100-byte table for each
/// tree, and a tree needs at least 90 bits. So, by the format, a 4 MiB file can ask for 1.3 GiB, however
/// few its pixels.
const TABLE_BYTES_PER_BYTE: u64 = 370;
/// 65,536 groups of five trees is what the format can name.
const TABLE_BYTES_MAX: u64 = 65_536 * 5 * 4_100;

const ANIMATION_FLAG: u8 = 0x02;
const ALPHA_FLAG: u8 = 0x10;

/// Keeps the picture and its alpha, in a new container whose size is that of the picture: the decoder would believe
/// the container and allocate for the picture inside.
pub(super) fn strip(original: &[u8]) -> Result<Stripped, BadPhoto> {
    let mut rest = original.get(12..).ok_or(BadPhoto::Broken)?;
    let (mut lossy, mut lossless, mut alpha, mut orientation) = (None, None, None, None);
    while !rest.is_empty() {
        let kind = take(&mut rest, 4)?;
        let length = u32::from_le_bytes(take(&mut rest, 4)?.try_into().map_err(|_| BadPhoto::Broken)?);
        let data = take(&mut rest, usize::try_from(length).map_err(|_| BadPhoto::Broken)?)?;
        // Chunks have even lengths; some writers forget the last byte.
        rest = rest.get(data.len() % 2..).unwrap_or_default();
        match kind {
            b"VP8X" if data.first().is_some_and(|flags| flags & ANIMATION_FLAG != 0) => {
                return Err(BadPhoto::Animated);
            }
            b"ANIM" | b"ANMF" => return Err(BadPhoto::Animated),
            b"VP8 " if lossy.is_none() => lossy = Some(data),
            b"VP8L" if lossless.is_none() => lossless = Some(data),
            b"ALPH" if alpha.is_none() => alpha = Some(data),
            b"EXIF" => orientation = orientation.or_else(|| orientation_of(data)),
            _ => {}
        }
    }
    let mut stripped = match (lossy, lossless, alpha) {
        (Some(picture), None, None) => lossy_picture(picture)?,
        (Some(picture), None, Some(alpha)) => lossy_picture_with_alpha(picture, alpha)?,
        (None, Some(picture), _) => lossless_picture(picture)?,
        _ => return Err(BadPhoto::Broken),
    };
    stripped.orientation = orientation.unwrap_or(Orientation::NoTransforms);
    Ok(stripped)
}

/// RFC 6386, 9.1: three bytes of tag, three of start code, then two sizes of 14 bits.
fn lossy_picture(picture: &[u8]) -> Result<Stripped, BadPhoto> {
    let [_, _, _, 0x9D, 0x01, 0x2A, w0, w1, h0, h1, ..] = *picture else { return Err(BadPhoto::Broken) };
    let size = |low, high| u32::from(u16::from_le_bytes([low, high]) & 0x3FFF);
    let mut stripped = container(size(w0, w1), size(h0, h1), &[(b"VP8 ", picture)])?;
    // Three planes, two of them at a quarter, kept beside the pixels; and the coded parts are copied.
    stripped.scratch_bytes += stripped.pixels() * 3 / 2 + picture.len() as u64;
    Ok(stripped)
}

fn lossy_picture_with_alpha(picture: &[u8], alpha: &[u8]) -> Result<Stripped, BadPhoto> {
    let plain = lossy_picture(picture)?;
    let (width, height) = (plain.width_px, plain.height_px);
    let last = |side: u32| side.checked_sub(1).map(u32::to_le_bytes).ok_or(BadPhoto::Broken);
    let ([w0, w1, w2, _], [h0, h1, h2, _]) = (last(width)?, last(height)?);
    let head = [ALPHA_FLAG, 0, 0, 0, w0, w1, w2, h0, h1, h2];
    let mut stripped = container(width, height, &[(b"VP8X", &head), (b"ALPH", alpha), (b"VP8 ", picture)])?;
    // Alpha is a lossless picture of its own, of which one channel is copied out twice.
    stripped.scratch_bytes += plain.scratch_bytes + 6 * plain.pixels() + tables(alpha);
    Ok(stripped)
}

/// A byte of signature, then two sizes less one, of 14 bits.
fn lossless_picture(picture: &[u8]) -> Result<Stripped, BadPhoto> {
    let [0x2F, a, b, c, d, ..] = *picture else { return Err(BadPhoto::Broken) };
    let bits = u32::from_le_bytes([a, b, c, d]);
    let mut stripped = container((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, &[(b"VP8L", picture)])?;
    stripped.scratch_bytes += 4 * stripped.pixels() + tables(picture);
    Ok(stripped)
}

fn tables(coded: &[u8]) -> u64 {
    (coded.len() as u64 * TABLE_BYTES_PER_BYTE).min(TABLE_BYTES_MAX)
}

fn container(width_px: u32, height_px: u32, chunks: &[(&[u8; 4], &[u8])]) -> Result<Stripped, BadPhoto> {
    let mut body = b"WEBP".to_vec();
    for (kind, data) in chunks {
        body.extend(*kind);
        body.extend(u32::try_from(data.len()).map_err(|_| BadPhoto::Broken)?.to_le_bytes());
        body.extend(*data);
        body.resize(body.len().next_multiple_of(2), 0);
    }
    let mut bytes = b"RIFF".to_vec();
    bytes.extend(u32::try_from(body.len()).map_err(|_| BadPhoto::Broken)?.to_le_bytes());
    bytes.append(&mut body);
    let scratch_bytes = bytes.len() as u64;
    Ok(Stripped { kind: Kind::Webp, bytes, width_px, height_px, orientation: Orientation::NoTransforms, scratch_bytes })
}
