//! Files that are two things at once, or not what they seem: a picture that is also a script, an archive or a page; other
//! types under a picture's name; metadata that leads its reader in circles; pictures that move.

use super::{
    Case, Kind,
    damage::Dice,
    good::{self, Good, MARKER},
    pieces,
};

const NOISE_EACH: usize = 30;

/// Files of other types, whole or as much as it takes to be taken for one, each with the marker in it.
fn strangers() -> Vec<(&'static str, Vec<u8>)> {
    let zip = {
        let length = u32::try_from(MARKER.len()).unwrap().to_le_bytes();
        let about = [&[0; 8][..], &[0; 4], &length, &length, &[1, 0, 0, 0]].concat();
        let stored = [b"PK\x03\x04\x0A\0", &about[..], b"a", MARKER].concat();
        let listed = [b"PK\x01\x02\x0A\0\x0A\0", &about[..], &[0; 14], b"a"].concat();
        let sizes = [u32::try_from(listed.len()).unwrap(), u32::try_from(stored.len()).unwrap()];
        let end = [b"PK\x05\x06\0\0\0\0\x01\0\x01\0", sizes.map(u32::to_le_bytes).as_flattened(), &[0, 0]].concat();
        [stored, listed, end].concat()
    };
    let around = |before: &str, after: &str| [before.as_bytes(), MARKER, after.as_bytes()].concat();
    vec![
        ("zip", zip),
        ("html", around("<!doctype html><html><script>alert('", "')</script></html>")),
        ("javascript", around("*/=1;alert('", "');/*")),
        ("php", around("<?php system('", "'); ?>")),
        ("shell", around("#!/bin/sh\necho ", "\n")),
        ("pdf", around("%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\n(", ")\ntrailer<</Root 1 0 R>>\n%%EOF\n")),
        ("svg", around("<svg xmlns='http://www.w3.org/2000/svg' onload='alert(\"", "\")'/>")),
        ("xml", around("<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b SYSTEM '", "'>]><a>&b;</a>")),
        ("elf", [b"\x7FELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3E\0", MARKER].concat()),
        ("exe", [b"MZ\x90\0\x03\0\0\0", MARKER].concat()),
        ("gif", [b"GIF89a\x01\0\x01\0\0\0\0!\xFE\x0E", MARKER, b"\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;"].concat()),
        ("bmp", [b"BM\x3A\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x01\0\0\0\x01\0\0\0\x01\0\x18\0", MARKER].concat()),
        ("tiff", [b"II*\0\x08\0\0\0\x01\0\x0E\x01\x02\0\x0E\0\0\0\x1A\0\0\0\0\0\0\0", MARKER].concat()),
        ("heic", [b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", MARKER].concat()),
        ("avif", [b"\0\0\0\x18ftypavif\0\0\0\0mif1avif", MARKER].concat()),
        ("mp4", [b"\0\0\0\x18ftypmp42\0\0\0\0isommp42", MARKER].concat()),
        ("jpeg xl", [b"\0\0\0\x0CJXL \x0D\x0A\x87\x0A\0\0\0\x14ftypjxl ", MARKER].concat()),
        ("jpeg 2000", [b"\0\0\0\x0CjP  \x0D\x0A\x87\x0A\0\0\0\x14ftypjp2 ", MARKER].concat()),
        ("gzip", [b"\x1F\x8B\x08\0\0\0\0\0\0\xFF", MARKER].concat()),
        ("riff, not webp", [b"RIFF\x16\0\0\0WAVEfmt ", MARKER].concat()),
        ("another jpeg", good::pictures().swap_remove(0).bytes),
    ]
}

/// A good picture that is something else from its end on, in its metadata, or both.
pub(super) fn polyglots(good: &Good) -> Vec<Case> {
    let mut cases = Vec::new();
    for (_, other) in strangers() {
        let after = [&good.bytes[..], &other].concat();
        let holder: &dyn Fn(&[u8]) -> Vec<u8> = match good.kind {
            Kind::Jpeg => &|data| pieces::segment(0xFE, data),
            Kind::Png => &|data| pieces::chunk(b"tEXt", &[b"Comment\0", data].concat()),
            Kind::Webp => &|data| pieces::webp_chunk(b"XMP ", data),
        };
        let mut parts = pieces::split(good.kind, &good.bytes);
        parts.insert(2, holder(&other));
        let within = pieces::join(good.kind, parts);
        let both = [&within[..], &other].concat();
        cases.extend([after, within, both].map(|bytes| Case::new(good.name, bytes)));
    }
    // Two magics: of this picture, and of the two others.
    for kind in [Kind::Jpeg, Kind::Png, Kind::Webp] {
        let other = good::plain(kind);
        let mut bytes = good.bytes.clone();
        bytes.splice(..12, other[..12].iter().copied());
        cases.push(Case::new(good.name, bytes));
        cases.push(Case::new(good.name, [&other[..], &good.bytes].concat()));
    }
    cases
}

/// Other types, alone.
pub(super) fn others() -> Vec<Case> {
    let heads: [&[u8]; 9] = [
        b"",
        b"\0",
        b"\xFF\xD8",
        b"\xFF\xD8\xFF",
        b"\xFF\xD8\xFF\xD9",
        b"\x89PNG\r\n\x1A\n",
        b"\x89PNG\n\x1A\n",
        b"RIFF\0\0\0\0WEBP",
        b"RIFF\xFF\xFF\xFF\xFFWEBP",
    ];
    let strangers = strangers().into_iter().filter(|(name, _)| *name != "another jpeg");
    let others = strangers.map(|(name, bytes)| Case::new(name, bytes));
    others.chain(heads.into_iter().map(|bytes| Case::new("head", bytes.to_vec()))).collect()
}

/// Bytes that mean nothing, alone and after the first bytes of each type.
pub(super) fn noise() -> Vec<Case> {
    let heads: [(&str, &[u8]); 7] = [
        ("none", b""),
        ("jpeg", b"\xFF\xD8\xFF"),
        ("jpeg frame", b"\xFF\xD8\xFF\xC0\0\x0B\x08\0\x10\0\x10\x01\x01\x11\0\xFF\xDA\0\x08\x01\x01\0\0\x3F\0"),
        ("png", b"\x89PNG\r\n\x1A\n"),
        ("png header", b"\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR\0\0\0\x10\0\0\0\x10\x08\x02\0\0\0\x90\x91\x68\x36"),
        ("webp", b"RIFF\0\x10\0\0WEBP"),
        ("webp lossless", b"RIFF\0\x10\0\0WEBPVP8L\0\x08\0\0\x2F\x0F\0\x03\0"),
    ];
    let mut dice = Dice::new(7);
    let mut cases = Vec::new();
    for (name, head) in heads {
        for _ in 0..NOISE_EACH {
            let mut bytes = head.to_vec();
            let length = 1 + dice.below(6_000);
            bytes.extend((0..length).map(|_| dice.roll().to_le_bytes()[0]));
            cases.push(Case::new(name, bytes));
        }
    }
    cases
}

/// Good pictures whose EXIF is not.
pub(super) fn exif() -> Vec<Case> {
    let table = |at: u32, count: u16, entry: &[u8], next: u32| {
        let (at, count) = (at.to_le_bytes(), count.to_le_bytes());
        [b"II*\0", &at[..], &count, entry, &next.to_le_bytes(), MARKER].concat()
    };
    let turned = |orientation: u8| [0x12, 1, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0];
    let mut blocks = vec![
        // The next table is this one; the camera's table is, too.
        table(8, 1, &turned(6), 8),
        table(8, 1, &[0x69, 0x87, 4, 0, 1, 0, 0, 0, 8, 0, 0, 0], 8),
        // Tables inside the header, past the end, and in the middle of an entry.
        table(0, 1, &turned(6), 0),
        table(4, 1, &turned(6), 4),
        table(u32::MAX, 1, &turned(6), u32::MAX),
        table(0x7FFF_FFFF, 1, &turned(6), 0),
        table(11, 1, &turned(6), 0),
        // More entries than there are bytes; no entry.
        table(8, u16::MAX, &turned(6), 0),
        table(8, u16::MAX, &[0x0E, 1, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0], 8),
        table(8, 0, &[], 8),
        // A value of 4 GB, and one that lies past the end.
        table(8, 1, &[0x12, 1, 3, 0, 0xFF, 0xFF, 0xFF, 0xFF, 6, 0, 0, 0], 0),
        table(8, 1, &[0x0E, 1, 2, 0, 0xFF, 0xFF, 0xFF, 0x7F, 0xF0, 0xFF, 0xFF, 0xFF], 0),
        b"II*\0".to_vec(),
        b"MM\0*\0\0\0\x08".to_vec(),
        b"II\0*\x08\0\0\0".to_vec(),
        Vec::new(),
        good::exif(6)[..20].to_vec(),
        [good::exif(6), good::exif(3)].concat(),
        [b"Exif\0\0", &good::exif(6)[..]].concat(),
        [b"Exif\0\0Exif\0\0", &good::exif(6)[..]].concat(),
    ];
    blocks.extend([0, 1, 2, 3, 4, 5, 7, 8, 9, 255].map(|orientation| table(8, 1, &turned(orientation), 8)));
    let mut cases = Vec::new();
    for (kind, name) in [(Kind::Jpeg, "jpeg"), (Kind::Png, "png"), (Kind::Webp, "webp")] {
        for block in &blocks {
            let mut parts = pieces::split(kind, &good::plain(kind));
            match kind {
                Kind::Jpeg => parts.insert(1, pieces::segment(0xE1, &[&b"Exif\0\0"[..], block].concat())),
                Kind::Png => parts.insert(2, pieces::chunk(b"eXIf", block)),
                Kind::Webp => parts.push(pieces::webp_chunk(b"EXIF", block)),
            }
            cases.push(Case::new(name, pieces::join(kind, parts)));
        }
    }
    cases
}

/// Pictures that move, as their formats have it and half so.
pub(super) fn moving() -> Vec<Case> {
    let mut cases = Vec::new();
    let plain = pieces::split(Kind::Png, &good::plain(Kind::Png));
    let control = pieces::chunk(b"acTL", &[0, 0, 0, 2, 0, 0, 0, 0]);
    let frame = |at: u8| {
        pieces::chunk(b"fcTL", &[0, 0, 0, at, 0, 0, 0, 16, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 10, 0, 0])
    };
    let data = pieces::chunk(b"fdAT", &[&[0, 0, 0, 2][..], &pieces::stored(&[0; 8 * 49])].concat());
    let extras = [vec![control.clone(), frame(0)], vec![control], vec![frame(0)], vec![data.clone()]];
    for mut extra in extras {
        for at in [2, plain.len() - 1] {
            let mut parts = plain.clone();
            parts.splice(at..at, extra.drain(..));
            parts.splice(parts.len() - 1..parts.len() - 1, [frame(1), data.clone()]);
            cases.push(Case::new("png", pieces::join(Kind::Png, parts)));
        }
    }
    let webp = include_bytes!("../../fixtures/moving.webp");
    let parts = pieces::split(Kind::Webp, webp);
    cases.push(Case::new("webp", webp.to_vec()));
    for gone in 1..parts.len() {
        let mut parts = parts.clone();
        parts.remove(gone);
        cases.push(Case::new("webp", pieces::join(Kind::Webp, parts)));
    }
    for flags in [0, 0x02, 0x10, 0xFF] {
        let mut parts = parts.clone();
        parts[1][8] = flags;
        parts.insert(2, pieces::split(Kind::Webp, &good::plain(Kind::Webp)).swap_remove(1));
        cases.push(Case::new("webp", pieces::join(Kind::Webp, parts)));
    }
    cases
}
