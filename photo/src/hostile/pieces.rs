//! Files as the pieces they are made of: segments of a JPEG, chunks of a PNG or WebP. Taken apart, put together, and
//! written anew. Only good files can be taken apart.

use super::Kind;

/// A JPEG's coded picture is a piece of its own, as are the signature of a PNG and the head of a WebP.
pub(super) fn split(kind: Kind, file: &[u8]) -> Vec<Vec<u8>> {
    let mut rest = file;
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        let length = match (kind, rest) {
            (Kind::Jpeg, [0xFF, 0xD8 | 0xD9, ..]) => 2,
            (Kind::Jpeg, [0xFF, 0xC0..=0xFE, high, low, ..]) => 2 + usize::from(u16::from_be_bytes([*high, *low])),
            (Kind::Jpeg, _) => {
                let is_marker = |pair: &[u8]| pair[0] == 0xFF && !matches!(pair[1], 0 | 0xD0..=0xD7);
                rest.windows(2).position(is_marker).unwrap_or(rest.len())
            }
            (Kind::Png, [0x89, ..]) => 8,
            (Kind::Png, [a, b, c, d, _, ..]) => 12 + number(u32::from_be_bytes([*a, *b, *c, *d])),
            (Kind::Webp, [b'R', b'I', b'F', b'F', ..]) => 12,
            (Kind::Webp, [_, _, _, _, a, b, c, d, ..]) => {
                8 + number(u32::from_le_bytes([*a, *b, *c, *d])).next_multiple_of(2)
            }
            _ => rest.len(),
        };
        // Bytes after the end may look like anything.
        let (piece, after) = rest.split_at(length.min(rest.len()));
        pieces.push(piece.to_vec());
        rest = after;
    }
    pieces
}

/// Puts pieces together so that the checksums and the size of the whole are right again.
pub(super) fn join(kind: Kind, mut pieces: Vec<Vec<u8>>) -> Vec<u8> {
    match kind {
        Kind::Jpeg => {}
        Kind::Png => pieces.iter_mut().for_each(|piece| {
            if let Some((checked, sum)) = piece.split_last_chunk_mut::<4>()
                && checked.len() >= 8
            {
                *sum = crc(&checked[4..]).to_be_bytes();
            }
        }),
        Kind::Webp => {
            let size = pieces.iter().map(Vec::len).sum::<usize>().saturating_sub(8);
            if let Some(into) = pieces.first_mut().and_then(|head| head.get_mut(4..8)) {
                into.copy_from_slice(&u32::try_from(size).unwrap().to_le_bytes());
            }
        }
    }
    pieces.concat()
}

/// What a piece says of its own length; none for those that say nothing.
pub(super) fn length_of(kind: Kind, piece: &[u8]) -> Option<u32> {
    match (kind, piece) {
        (Kind::Jpeg, [0xFF, 0xC0..=0xD7 | 0xDA..=0xFE, high, low, ..]) => {
            Some(u16::from_be_bytes([*high, *low]).into())
        }
        (Kind::Png, [0, b, c, d, _, _, _, _, _, ..]) => Some(u32::from_be_bytes([0, *b, *c, *d])),
        (Kind::Webp, [_, _, _, _, a, b, c, d, ..]) => Some(u32::from_le_bytes([*a, *b, *c, *d])),
        _ => None,
    }
}

/// Lets a piece lie about its length, as far as there is room for the lie.
pub(super) fn set_length(kind: Kind, piece: &mut [u8], length: u32) {
    match kind {
        Kind::Jpeg => piece[2..4].copy_from_slice(&length.to_be_bytes()[2..]),
        Kind::Png => piece[..4].copy_from_slice(&length.to_be_bytes()),
        Kind::Webp => piece[4..8].copy_from_slice(&length.to_le_bytes()),
    }
}

/// Lets every piece that tells the size in pixels tell this one, as far as there is room.
pub(super) fn set_dimensions(kind: Kind, pieces: &mut [Vec<u8>], width_px: u32, height_px: u32) {
    for piece in pieces {
        match (kind, piece.as_mut_slice()) {
            (Kind::Jpeg, [0xFF, 0xC0..=0xC2, _, _, _, size @ ..]) => {
                size[..2].copy_from_slice(&height_px.to_be_bytes()[2..]);
                size[2..4].copy_from_slice(&width_px.to_be_bytes()[2..]);
            }
            (Kind::Png, [_, _, _, _, b'I', b'H', b'D', b'R', size @ ..]) => {
                size[..4].copy_from_slice(&width_px.to_be_bytes());
                size[4..8].copy_from_slice(&height_px.to_be_bytes());
            }
            (Kind::Webp, [b'V', b'P', b'8', b' ', _, _, _, _, picture @ ..]) => {
                picture[6..8].copy_from_slice(&width_px.to_le_bytes()[..2]);
                picture[8..10].copy_from_slice(&height_px.to_le_bytes()[..2]);
            }
            (Kind::Webp, [b'V', b'P', b'8', b'L', _, _, _, _, picture @ ..]) => {
                let sides = width_px.wrapping_sub(1) & 0x3FFF | (height_px.wrapping_sub(1) & 0x3FFF) << 14;
                picture[1..5].copy_from_slice(&sides.to_le_bytes());
            }
            (Kind::Webp, [b'V', b'P', b'8', b'X', _, _, _, _, head @ ..]) => {
                head[4..7].copy_from_slice(&width_px.wrapping_sub(1).to_le_bytes()[..3]);
                head[7..10].copy_from_slice(&height_px.wrapping_sub(1).to_le_bytes()[..3]);
            }
            _ => {}
        }
    }
}

/// A JPEG's segment.
pub(super) fn segment(marker: u8, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len() + 2).unwrap();
    [&[0xFF, marker][..], &length.to_be_bytes(), data].concat()
}

/// A PNG's chunk.
pub(super) fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).unwrap();
    let checked = [&kind[..], data].concat();
    [&length.to_be_bytes()[..], &checked, &crc(&checked).to_be_bytes()].concat()
}

/// A WebP's chunk.
pub(super) fn webp_chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).unwrap();
    let mut piece = [&kind[..], &length.to_le_bytes(), data].concat();
    piece.resize(piece.len().next_multiple_of(2), 0);
    piece
}

/// A WebP of these chunks.
pub(super) fn webp(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut pieces = vec![b"RIFF\0\0\0\0WEBP".to_vec()];
    pieces.extend(chunks.iter().map(|(kind, data)| webp_chunk(kind, data)));
    join(Kind::Webp, pieces)
}

/// A zlib stream that holds the data as it is.
pub(super) fn stored(data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap();
    let (a, b) = data.iter().fold((1, 0), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (b + a) % 65_521)
    });
    [&[0x78, 0x01, 0x01][..], &length.to_le_bytes(), &(!length).to_le_bytes(), data, &(b << 16 | a).to_be_bytes()]
        .concat()
}

fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 })
    })
}

fn number(length: u32) -> usize {
    usize::try_from(length).unwrap()
}
