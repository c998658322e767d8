//! PNG, read chunk by chunk: the parts that carry the picture are kept, nothing is decoded.

use super::{BadPhoto, Kind, Orientation, Stripped, orientation_of, take};

/// Keeps the header, the palette, the see-through colour and the pixels.
pub(super) fn strip(original: &[u8]) -> Result<Stripped, BadPhoto> {
    let mut rest = original;
    let mut bytes = Vec::with_capacity(original.len());
    bytes.extend(take(&mut rest, 8)?);
    let mut size = None;
    let mut orientation = None;
    loop {
        let whole = rest;
        let length = be(take(&mut rest, 4)?)?;
        let kind = take(&mut rest, 4)?;
        let data = take(&mut rest, usize::try_from(length).map_err(|_| BadPhoto::Broken)?)?;
        take(&mut rest, 4)?;
        match (kind, size) {
            (b"IHDR", None) => {
                size = Some((be(data.get(..4).unwrap_or(&[]))?, be(data.get(4..8).unwrap_or(&[]))?));
            }
            (_, None) | (b"IHDR", Some(_)) => return Err(BadPhoto::Broken),
            (b"PLTE" | b"tRNS" | b"IDAT" | b"IEND", _) => {}
            (b"acTL" | b"fcTL" | b"fdAT", _) => return Err(BadPhoto::Animated),
            (b"eXIf", _) => {
                orientation = orientation.or_else(|| orientation_of(data));
                continue;
            }
            _ => continue,
        }
        bytes.extend(&whole[..whole.len() - rest.len()]);
        if kind == b"IEND" {
            break;
        }
    }
    let (width_px, height_px) = size.ok_or(BadPhoto::Broken)?;
    Ok(Stripped {
        kind: Kind::Png,
        scratch_bytes: bytes.len() as u64,
        bytes,
        width_px,
        height_px,
        orientation: orientation.unwrap_or(Orientation::NoTransforms),
    })
}

fn be(bytes: &[u8]) -> Result<u32, BadPhoto> {
    bytes.try_into().map(u32::from_be_bytes).map_err(|_| BadPhoto::Broken)
}
