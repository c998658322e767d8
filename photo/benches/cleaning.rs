//! How long a 12-megapixel photo takes to become two clean ones, read from a file and written to two: alone, or in turn
//! with what else does that work, so that the noise of the machine meets all of them.
//!
//! `taskset -c 1 cargo bench --package lastbite-photo -- [photo.jpg] [--beside] [--write new.jpg]`
//!
//! Without a file the photo is made up. `--write` only writes the one that is made up, `--beside` needs `convert` of
//! ImageMagick 6 and `vipsthumbnail` of libvips. Of theirs, the start of the process is taken off: the same command for
//! a picture of 16 × 16 pixels, in the same round.

#![expect(clippy::print_stdout, reason = "that is what it is for")]

use std::{
    env, fs,
    io::Cursor,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use image::{Rgb, RgbImage, codecs::jpeg::JpegEncoder};
use lastbite_photo::{PHOTO_QUALITY_PERCENT, PhotoLab};
use tokio::runtime::{Builder, Runtime};

const RUNS: usize = 30;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let folder = env::temp_dir().join(format!("lastbite-cleaning-{}", std::process::id()));
    if let [write, new] = arguments.as_slice()
        && write == "--write"
    {
        return fs::write(new, made_up(4_000, 3_000)).expect("the photo can be written");
    }
    fs::create_dir(&folder).expect("a folder of our own");
    let given = arguments.iter().find(|argument| !argument.starts_with("--"));
    let photo = given.map_or_else(|| folder.join("photo.jpg"), PathBuf::from);
    if given.is_none() {
        fs::write(&photo, made_up(4_000, 3_000)).expect("the photo can be written");
    }
    let dot = folder.join("dot.jpg");
    fs::write(&dot, made_up(16, 16)).expect("the dot can be written");
    let work = Work { photo, dot, large: folder.join("large.jpg"), small: folder.join("small.jpg") };
    if arguments.iter().any(|argument| argument == "--beside") {
        work.beside_others();
    } else {
        work.alone();
    }
    fs::remove_dir_all(folder).expect("the folder is ours");
}

/// Does the work on a photo with another program.
type Other = fn(&Work, &Path);

struct Work {
    photo: PathBuf,
    dot: PathBuf,
    large: PathBuf,
    small: PathBuf,
}

impl Work {
    fn alone(&self) {
        let ours = Ours::new();
        let mut times: Vec<Duration> = (0..RUNS).map(|_| time(|| ours.clean(self, &self.photo))).collect();
        report("ours", &mut times, None);
    }

    fn beside_others(&self) {
        let ours = Ours::new();
        let others: [(&str, Other); 3] = [
            ("ImageMagick", |work, photo| work.imagemagick(photo, false)),
            ("ImageMagick, decoding less", |work, photo| work.imagemagick(photo, true)),
            ("libvips", Self::libvips),
        ];
        let mut own_times = Vec::new();
        let mut times: Vec<Vec<Duration>> = vec![Vec::new(); others.len()];
        let mut starts = times.clone();
        for _ in 0..RUNS {
            own_times.push(time(|| ours.clean(self, &self.photo)));
            for (at, (_, other)) in others.iter().enumerate() {
                starts[at].push(time(|| other(self, &self.dot)));
                times[at].push(time(|| other(self, &self.photo)));
            }
        }
        let own = report("ours", &mut own_times, None);
        for (at, (name, _)) in others.iter().enumerate() {
            let start = report(&format!("{name}, its start"), &mut starts[at], None);
            // The least of all rounds: what remains when the machine had nothing else to do.
            times[at].iter_mut().for_each(|time| *time = time.saturating_sub(start.least));
            let theirs = report(name, &mut times[at], None);
            report(&format!("ours by {name}"), &mut own_times, Some(theirs));
        }
        let _ = own;
    }

    /// Upright, both sizes from one decoding, as much colour as ours, the same filter.
    fn imagemagick(&self, photo: &Path, decodes_less: bool) {
        let mut convert = Command::new("convert");
        if decodes_less {
            convert.args(["-define", "jpeg:size=1600x1600"]);
        }
        convert.arg(photo).args(["-auto-orient", "-strip", "-filter", "Catrom", "-sampling-factor", "1x1"]);
        convert.args(["-quality", &PHOTO_QUALITY_PERCENT.to_string(), "-resize", "1600x1600>", "-write"]);
        run(convert.arg(&self.large).args(["-resize", "320x320>"]).arg(&self.small));
    }

    /// It turns by itself; the small one is made of the large one, as ours is. It has no choice of filter.
    fn libvips(&self, photo: &Path) {
        for (from, into, size) in [(photo, &self.large, "1600x1600>"), (&*self.large, &self.small, "320x320>")] {
            let how = format!("{}[Q={PHOTO_QUALITY_PERCENT},strip,subsample-mode=off]", into.display());
            run(Command::new("vipsthumbnail").arg(from).args(["--size", size, "--output", &how]));
        }
    }
}

/// One thread decodes, and this one waits for it.
struct Ours {
    runtime: Runtime,
    lab: PhotoLab,
}

impl Ours {
    fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
        Self { runtime, lab: PhotoLab::new(1, 0, Duration::from_secs(60)) }
    }

    fn clean(&self, work: &Work, photo: &Path) {
        let original = fs::read(photo).expect("the photo can be read");
        let clean = self.runtime.block_on(self.lab.clean(original.into())).expect("the photo is good");
        fs::write(&work.large, clean.large).expect("it can be written");
        fs::write(&work.small, clean.small).expect("it can be written");
    }
}

struct Figures {
    least: Duration,
    median: Duration,
}

fn run(command: &mut Command) {
    let status = command.env("MAGICK_THREAD_LIMIT", "1").env("VIPS_CONCURRENCY", "1").status();
    assert!(status.expect("it is installed").success());
}

fn time(work: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    work();
    begun.elapsed()
}

fn report(name: &str, times: &mut [Duration], beside: Option<Figures>) -> Figures {
    times.sort_unstable();
    let figures = Figures { least: times[0], median: times[times.len() / 2] };
    let millis = |time: Duration| time.as_secs_f64() * 1_000.0;
    if let Some(beside) = beside {
        let ratio = |ours: Duration, theirs: Duration| millis(ours) / millis(theirs);
        let (least, median) = (ratio(figures.least, beside.least), ratio(figures.median, beside.median));
        println!("{name:<40} {least:8.2}     median {median:8.2}");
    } else {
        println!("{name:<40} {:8.1} ms, median {:8.1} ms", millis(figures.least), millis(figures.median));
    }
    figures
}

/// Soft shapes and a little noise, as a camera's: 3 to 5 MB at 12 megapixels. To be turned by 90°.
fn made_up(width_px: u32, height_px: u32) -> Vec<u8> {
    let mut noise = 1_u32;
    let picture = RgbImage::from_fn(width_px, height_px, |x, y| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let grain = f64::from(noise >> 28) - 7.5;
        let (x, y) = (f64::from(x), f64::from(y));
        let plate = (x / 610.0).sin() * (y / 480.0).cos();
        let crumbs = (x / 23.0 + (y / 90.0).sin() * 4.0).sin() * (y / 17.0).cos();
        let level = |middle: f64, wide: f64| (middle + wide * plate + 14.0 * crumbs + 0.6 * grain).round() as u8;
        Rgb([level(150.0, 80.0), level(120.0, 60.0), level(90.0, -50.0)])
    });
    let mut jpeg = Cursor::new(Vec::new());
    JpegEncoder::new_with_quality(&mut jpeg, 90).encode_image(&picture).expect("it can be encoded");
    let mut jpeg = jpeg.into_inner();
    let exif = *b"\xFF\xE1\0\x22Exif\0\0MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    jpeg.splice(2..2, exif);
    jpeg
}
