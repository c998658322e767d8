//! JPEG, read marker by marker (ITU T.81): the parts that carry the picture are kept, nothing is decoded.

use super::{BadPhoto, Kind, Orientation, PHOTO_JPEG_SCANS_MAX, Stripped, orientation_of, take};

/// Start of frame: baseline, extended, progressive (ITU T.81, table B.1). The rarer ones are not decoded.
const FRAMES: [u8; 3] = [0xC0, 0xC1, 0xC2];
const PROGRESSIVE: u8 = 0xC2;
const HUFFMAN_TABLES: u8 = 0xC4;
const RESERVED: u8 = 0xC8;
const ARITHMETIC: u8 = 0xCC;
const END: u8 = 0xD9;
const SCAN: u8 = 0xDA;
const QUANTISATION_TABLES: u8 = 0xDB;
const RESTART_INTERVAL: u8 = 0xDD;
const APP1: u8 = 0xE1;
/// Adobe's segment says how CMYK and RGB are to be read; it holds nothing else.
const APP14: u8 = 0xEE;

struct Frame {
    width_px: u32,
    height_px: u32,
    components: u8,
    /// Of all components together; thinned-out colour counts less.
    samples: u64,
    progressive: bool,
}

/// Keeps tables, frame, scans, and what follows each scan header up to the next marker.
pub(super) fn strip(original: &[u8]) -> Result<Stripped, BadPhoto> {
    let mut rest = original;
    let mut bytes = Vec::with_capacity(original.len());
    bytes.extend(take(&mut rest, 2)?);
    let mut frame: Option<Frame> = None;
    let mut orientation = None;
    let mut scans = 0;
    let mut in_pieces = false;
    loop {
        let marker = next_marker(&mut rest)?;
        if marker == END {
            break;
        }
        let segment = take_segment(&mut rest)?;
        match marker {
            _ if FRAMES.contains(&marker) => {
                if frame.replace(read_frame(marker, segment)?).is_some() {
                    return Err(BadPhoto::Broken);
                }
            }
            HUFFMAN_TABLES | QUANTISATION_TABLES | RESTART_INTERVAL => {}
            // A second copy of a short Adobe segment could hide text.
            APP14 if segment.starts_with(b"Adobe") && segment.len() == 12 => {}
            SCAN => {
                scans += 1;
                let in_scan = *segment.first().ok_or(BadPhoto::Broken)?;
                in_pieces |= frame.as_ref().ok_or(BadPhoto::Broken)?.components != in_scan;
            }
            APP1 if orientation.is_none() && segment.starts_with(b"Exif\0\0") => {
                orientation = orientation_of(segment);
                continue;
            }
            // Restarts outside a scan, and a second start.
            0xD0..=0xD8 => return Err(BadPhoto::Broken),
            0xC3 | 0xC5..=0xC7 | RESERVED..=0xCB | ARITHMETIC | 0xCD..=0xCF => return Err(BadPhoto::Unsupported),
            _ => continue,
        }
        bytes.extend([0xFF, marker]);
        bytes.extend(u16::try_from(segment.len() + 2).map_err(|_| BadPhoto::Broken)?.to_be_bytes());
        bytes.extend(segment);
        if marker == SCAN {
            bytes.extend(take_scan(&mut rest)?);
        }
    }
    bytes.extend([0xFF, END]);
    let Some(frame) = frame.filter(|_| scans > 0) else { return Err(BadPhoto::Broken) };
    if scans > PHOTO_JPEG_SCANS_MAX {
        return Err(BadPhoto::Unsupported);
    }
    // Scans that bring the picture piece by piece are gathered as 16-bit coefficients.
    let gathered = frame.progressive || in_pieces;
    Ok(Stripped {
        kind: Kind::Jpeg,
        scratch_bytes: if gathered { 2 * frame.samples } else { 0 } + bytes.len() as u64,
        bytes,
        width_px: frame.width_px,
        height_px: frame.height_px,
        orientation: orientation.unwrap_or(Orientation::NoTransforms),
    })
}

/// Markers may be preceded by any number of fill bytes.
fn next_marker(rest: &mut &[u8]) -> Result<u8, BadPhoto> {
    let [0xFF] = take(rest, 1)? else { return Err(BadPhoto::Broken) };
    loop {
        match take(rest, 1)? {
            [0xFF] => {}
            [marker @ 0xC0..=0xFE] => return Ok(*marker),
            _ => return Err(BadPhoto::Broken),
        }
    }
}

fn take_segment<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], BadPhoto> {
    let [high, low] = *take(rest, 2)? else { return Err(BadPhoto::Broken) };
    let length = usize::from(u16::from_be_bytes([high, low])).checked_sub(2).ok_or(BadPhoto::Broken)?;
    take(rest, length)
}

/// The coded picture ends at the first marker that is neither a stuffed byte, nor a restart, nor a fill byte. When
/// there is none, the file was cut short.
fn take_scan<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], BadPhoto> {
    let end = rest
        .array_windows::<2>()
        .position(|pair| pair[0] == 0xFF && !matches!(pair[1], 0x00 | 0xD0..=0xD7 | 0xFF))
        .ok_or(BadPhoto::Broken)?;
    take(rest, end)
}

fn read_frame(marker: u8, segment: &[u8]) -> Result<Frame, BadPhoto> {
    let [precision, y1, y0, x1, x0, components, ref sampling @ ..] = *segment else { return Err(BadPhoto::Broken) };
    if precision != 8 {
        return Err(BadPhoto::Unsupported);
    }
    let (width_px, height_px) = (u32::from(u16::from_be_bytes([x1, x0])), u32::from(u16::from_be_bytes([y1, y0])));
    // Each component: its name, how densely it is sampled across and down, its table.
    let density = || sampling.chunks_exact(3).map(|component| (component[1] >> 4, component[1] & 0x0F));
    let area = |(across, down): (u8, u8)| u64::from(across) * u64::from(down);
    let densest = area((density().map(|d| d.0).max().unwrap_or(0), density().map(|d| d.1).max().unwrap_or(0)));
    let pixels = u64::from(width_px) * u64::from(height_px);
    let samples = (pixels * density().map(area).sum::<u64>()).checked_div(densest).ok_or(BadPhoto::Broken)?;
    Ok(Frame { width_px, height_px, components, samples, progressive: marker == PROGRESSIVE })
}
