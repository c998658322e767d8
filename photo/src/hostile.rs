//! Thousands of files that nobody should send: each ends in a refusal with a stable code or in a clean photo, without a
//! trace of what was in the file, within bounded memory. They are made from seeds, so a failure comes again.
//!
//! Each answer to each kind of attack, as a player sees it, is in `tests/it/photos_are_clean.rs`.

use std::{
    collections::BTreeMap,
    fmt, fs, panic,
    sync::{LazyLock, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use image::ImageFormat;
use tokio::runtime::{Builder, Runtime};

use super::{
    Bytes, CleanPhoto, Kind, PHOTO_BYTES_MAX, PHOTO_CLEAN_MS_MAX, PHOTO_DECODER_BYTES_MAX, PHOTO_JPEG_SCANS_MAX,
    PHOTO_LARGE_SIDE_PX, PHOTO_SMALL_SIDE_PX, PhotoError, PhotoLab,
};
use good::{Good, MARKER};

mod bombs;
mod damage;
mod good;
mod guises;
mod pieces;

/// What must be in no output, whatever the input: our marker, and the beginnings of metadata and of other files.
const TRACES: [&[u8]; 14] = [
    MARKER,
    b"Exif\0",
    b"http:",
    b"ICC_PROFILE",
    b"Photoshop",
    b"Adobe",
    b"MPF\0",
    b"PK\x03\x04",
    b"<script",
    b"<?php",
    b"<svg",
    b"%PDF",
    b"\x7FELF",
    b"GIF89a",
];

/// On top of what was there before: what a decoder may take, and half of that for two copies of the file (20 MiB), for
/// the picture while it is made smaller (at most 70 MiB, of a square one of 16 bits and alpha), and for what comes out.
const MEMORY_BYTES_MAX: u64 = PHOTO_DECODER_BYTES_MAX * 3 / 2;

const THREAD_NAME: &str = "photo-decoder";

#[test]
fn a_good_picture_is_taken_and_loses_all_it_tells() {
    for good in good::pictures() {
        assert!(holds(&good.bytes, MARKER), "{}", good.name);
        let photo = bench().clean(&good.bytes).unwrap_or_else(|refused| panic!("{}: {refused}", good.name));
        assert_is_clean(&photo);
        assert_eq!((photo.width_px, photo.height_px), (good::HEIGHT_PX, good::WIDTH_PX), "{} is upright", good.name);
    }
}

#[test]
fn damaged_bits_do_no_harm() {
    survive("bits", || each_good_one(damage::bits)).is_mixed();
}

#[test]
fn a_file_cut_short_anywhere_does_no_harm() {
    survive("cuts", || each_good_one(damage::cuts)).is_mixed();
}

#[test]
fn lengths_that_lie_do_no_harm() {
    survive("lengths", || each_good_one(damage::lengths)).is_mixed();
}

#[test]
fn pieces_in_any_order_do_no_harm() {
    survive("order", || each_good_one(damage::order)).is_mixed();
}

#[test]
fn dimensions_that_lie_do_no_harm() {
    survive("dimensions", || each_good_one(damage::dimensions)).is_mixed();
}

#[test]
fn a_picture_that_is_also_something_else_is_only_a_picture() {
    survive("polyglots", || each_good_one(guises::polyglots)).is_mixed();
}

#[test]
fn other_types_and_noise_are_refused() {
    let tally = survive("other types", guises::others);
    assert_eq!(tally.cleaned, 0, "{tally}");
    survive("noise", guises::noise);
}

#[test]
fn pictures_that_move_are_refused() {
    let tally = survive("moving", guises::moving);
    assert_eq!(tally.cleaned, 0, "{tally}");
    assert!(tally.refused["photo_animated"] > 10, "{tally}");
}

#[test]
fn exif_that_leads_in_circles_turns_nothing_but_the_picture() {
    let tally = survive("exif", guises::exif);
    assert!(tally.refused.is_empty(), "{tally}");
}

#[test]
fn metadata_of_any_size_is_left_out_unread() {
    let tally = survive("metadata", bombs::metadata);
    assert!(tally.refused.is_empty(), "{tally}");
}

#[test]
fn pictures_that_ask_for_much_get_no_more_than_there_is() {
    survive("png bombs", bombs::pngs).is_mixed();
    survive("jpeg bombs", bombs::jpegs).is_mixed();
    survive("webp bombs", bombs::webps).is_mixed();
}

/// One hostile file, and the picture it was made from.
struct Case {
    name: &'static str,
    bytes: Vec<u8>,
}

impl Case {
    fn new(name: &'static str, bytes: Vec<u8>) -> Self {
        Self { name, bytes }
    }
}

/// What became of the files of one kind.
#[derive(Default)]
struct Tally {
    cleaned: usize,
    refused: BTreeMap<&'static str, usize>,
    /// Took longer than a photo may. Counted only: a test machine is slow.
    slow: usize,
    /// Of the refused: a decoder panicked.
    caught: usize,
    longest: Duration,
    memory_bytes: u64,
}

impl Tally {
    /// A test in which nothing is taken would show no leak, and one in which all is taken no guard.
    fn is_mixed(&self) {
        assert!(self.cleaned > 0 && !self.refused.is_empty(), "{self}");
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cleaned, refused, slow, caught, longest, memory_bytes } = self;
        let files = cleaned + refused.values().sum::<usize>();
        write!(f, "{files} files, {cleaned} cleaned, {refused:?}, {slow} slow, {caught} caught; ")?;
        write!(f, "at most {} ms and {} MiB", longest.as_millis(), memory_bytes >> 20)
    }
}

fn each_good_one(attack: impl Fn(&Good) -> Vec<Case>) -> Vec<Case> {
    good::pictures().iter().flat_map(attack).collect()
}

/// The files are made when it is their turn, so that they are not counted as memory of others.
#[expect(clippy::print_stdout, reason = "figures, for who asks with --nocapture")]
fn survive(attack: &str, files: impl FnOnce() -> Vec<Case>) -> Tally {
    let bench = bench();
    let mut tally = Tally::default();
    for (at, Case { name, bytes }) in files().into_iter().enumerate() {
        let named = format!("{attack}: file {at}, {name}, {} bytes", bytes.len());
        let caught = panics().len();
        let memory = Memory::now();
        let begun = Instant::now();
        match bench.clean(&bytes) {
            Ok(photo) => {
                assert_is_clean(&photo);
                tally.cleaned += 1;
            }
            Err(PhotoError::Bad(bad)) => *tally.refused.entry(bad.code()).or_default() += 1,
            Err(PhotoError::Busy) => panic!("{named}: there was a place"),
        }
        let took = begun.elapsed();
        let memory_bytes = memory.and_then(|memory| memory.grown_bytes()).unwrap_or(0);
        if took > Duration::from_millis(PHOTO_CLEAN_MS_MAX) {
            tally.slow += 1;
            println!("{named}: {} ms", took.as_millis());
        }
        for what in &panics()[caught..] {
            tally.caught += 1;
            println!("{named}: {what}");
        }
        assert!(memory_bytes <= MEMORY_BYTES_MAX, "{named}: {memory_bytes} bytes of memory");
        tally.longest = tally.longest.max(took);
        tally.memory_bytes = tally.memory_bytes.max(memory_bytes);
    }
    println!("{attack}: {tally}");
    tally
}

/// Where the files are tried, one after the other, so that the memory is that of one decoder.
struct Bench {
    runtime: Runtime,
    lab: PhotoLab,
}

fn bench() -> MutexGuard<'static, Bench> {
    static BENCH: LazyLock<Mutex<Bench>> = LazyLock::new(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |what| {
            if thread::current().name() == Some(THREAD_NAME) {
                panics().push(what.to_string());
            } else {
                before(what);
            }
        }));
        let runtime = Builder::new_current_thread().enable_time().thread_name(THREAD_NAME).build().unwrap();
        Mutex::new(Bench { runtime, lab: PhotoLab::new(1, 1, Duration::from_millis(PHOTO_CLEAN_MS_MAX)) })
    });
    BENCH.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What panicked in decoders and was caught.
fn panics() -> MutexGuard<'static, Vec<String>> {
    static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());
    PANICS.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Bench {
    fn clean(&self, file: &[u8]) -> Result<CleanPhoto, PhotoError> {
        let answer = self.runtime.block_on(self.lab.clean(Bytes::copy_from_slice(file)));
        // A decoder that was given up still works.
        while self.lab.decoding() > 0 {
            thread::sleep(Duration::from_millis(1));
        }
        answer
    }
}

fn assert_is_clean(photo: &CleanPhoto) {
    let sides = (photo.width_px, photo.height_px);
    assert!(sides.0.max(sides.1) <= PHOTO_LARGE_SIDE_PX);
    for (jpeg, side_px_max) in [(&photo.large, PHOTO_LARGE_SIDE_PX), (&photo.small, PHOTO_SMALL_SIDE_PX)] {
        let opened = image::load_from_memory_with_format(jpeg, ImageFormat::Jpeg).expect("it can be opened");
        assert!(opened.width().max(opened.height()) <= side_px_max && opened.color() == image::ColorType::Rgb8);
        assert!(side_px_max == PHOTO_SMALL_SIDE_PX || (opened.width(), opened.height()) == sides);
        assert_has_only_a_picture(jpeg);
        for trace in TRACES {
            assert!(!holds(jpeg, trace), "{}", trace.escape_ascii());
        }
    }
}

/// Start, the 16 bytes that say "JFIF", tables, one frame, one scan, end: nothing else, nothing twice, nothing after.
fn assert_has_only_a_picture(jpeg: &[u8]) {
    let pieces = pieces::split(Kind::Jpeg, jpeg);
    let marker_of = |piece: &Vec<u8>| match piece[..] {
        [0xFF, marker @ 0xC0..=0xFE, ..] => Some(marker),
        _ => None,
    };
    let markers: Vec<u8> = pieces.iter().filter_map(marker_of).collect();
    assert!(markers.starts_with(&[0xD8, 0xE0]) && markers.ends_with(&[0xDA, 0xD9]), "{markers:X?}");
    let between = &markers[2..markers.len() - 2];
    assert!(between.iter().all(|marker| matches!(marker, 0xC0 | 0xC4 | 0xDB)), "{markers:X?}");
    assert!(between.iter().filter(|marker| **marker == 0xC0).count() == 1, "{markers:X?}");
    assert!(pieces[1].starts_with(b"\xFF\xE0\0\x10JFIF\0"), "{}", pieces[1].escape_ascii());
    // Only the coded picture has no marker of its own.
    assert_eq!(pieces.len(), markers.len() + 1);
}

fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

/// How much of this process was in memory at a time. Only Linux tells.
struct Memory {
    before_bytes: u64,
}

impl Memory {
    fn now() -> Option<Self> {
        // From here on, the peak is that of what comes.
        fs::write("/proc/self/clear_refs", "5").ok()?;
        Some(Self { before_bytes: Self::peak_bytes()? })
    }

    /// What was needed most on top of what was there at first.
    fn grown_bytes(&self) -> Option<u64> {
        Some(Self::peak_bytes()?.saturating_sub(self.before_bytes))
    }

    fn peak_bytes() -> Option<u64> {
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
    }
}
