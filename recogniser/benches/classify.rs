//! How long one photo takes: `cargo bench --package lastbite-recogniser`. Medians of 30, on one thread.

#![expect(clippy::print_stdout, reason = "that is what it is for")]

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use lastbite_recogniser::{Recogniser, Rgb8Picture};

const ESPRESSO: &[u8] = include_bytes!("../fixtures/espresso.jpg");
const RUNS: usize = 30;

fn main() {
    let recogniser = Recogniser::load().expect("the embedded files fit");
    let picture = Rgb8Picture::from_jpeg(ESPRESSO).expect("the fixture is a JPEG");
    let largest = Rgb8Picture::new(1_600, 1_200, vec![128; 1_600 * 1_200 * 3]).expect("the bytes fit");
    time("load", || drop(black_box(Recogniser::load())));
    time("classify, 600 x 400 px", || drop(black_box(recogniser.classify(&picture))));
    time("classify, 1600 x 1200 px", || drop(black_box(recogniser.classify(&largest))));
    time("classify_jpeg, 600 x 400 px", || drop(black_box(recogniser.classify_jpeg(ESPRESSO))));
}

fn time(name: &str, work: impl Fn()) {
    work();
    let mut times: Vec<Duration> = (0..RUNS)
        .map(|_| {
            let begin = Instant::now();
            work();
            begin.elapsed()
        })
        .collect();
    times.sort_unstable();
    println!("{name:30} {:6.1} ms (least {:.1})", millis(times[RUNS / 2]), millis(times[0]));
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
