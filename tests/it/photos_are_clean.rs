//! What becomes of a player's photo: upright, small, without a trace of where it was taken; or a plain refusal.

use std::time::Duration;

use bytes::Bytes;
use image::RgbImage;
use lastbite::{
    meals::photo::{BadPhoto, CleanPhoto, PhotoError, PhotoLab},
    media::{Media, NotAKey, PhotoKey, Size},
};

use crate::support::pictures::{self, BLACK, BLUE, GREEN, RED};

/// The budget is generous: a test machine is slow, and its build is not optimised.
fn lab() -> PhotoLab {
    PhotoLab::new(2, 16, Duration::from_secs(60))
}

async fn cleaned(original: Vec<u8>) -> CleanPhoto {
    lab().clean(original.into()).await.expect("the photo is good")
}

fn opened(jpeg: &Bytes) -> RgbImage {
    assert_eq!(image::guess_format(jpeg).expect("a picture"), image::ImageFormat::Jpeg);
    image::load_from_memory(jpeg).expect("the output can be opened").into_rgb8()
}

/// The middle of each quarter: top left, top right, bottom left, bottom right.
fn quarters(picture: &RgbImage) -> [[u8; 3]; 4] {
    let (x, y) = (picture.width() / 4, picture.height() / 4);
    [(x, y), (3 * x, y), (x, 3 * y), (3 * x, 3 * y)].map(|(x, y)| picture.get_pixel(x, y).0)
}

fn is_near(colours: [[u8; 3]; 4], expected: [[u8; 3]; 4]) -> bool {
    colours.as_flattened().iter().zip(expected.as_flattened()).all(|(a, b)| a.abs_diff(*b) <= 12)
}

fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

#[tokio::test]
async fn each_hostile_picture_has_its_answer() {
    let cases = [
        ("empty", pictures::empty(), "photo_empty"),
        ("too large", pictures::too_large(), "photo_too_large"),
        ("html", pictures::html(), "photo_type_unknown"),
        ("gif", pictures::gif(), "photo_type_unknown"),
        ("heic", pictures::heic(), "photo_type_heic"),
        ("avif", pictures::avif(), "photo_type_heic"),
        ("animated png", pictures::png_animated(), "photo_animated"),
        ("animated webp", pictures::webp_animated(), "photo_animated"),
        ("png too wide", pictures::png_too_wide(), "photo_dimensions"),
        ("webp with two sizes", pictures::webp_two_sizes(), "photo_dimensions"),
        ("webp of code tables", pictures::webp_of_tables(), "photo_dimensions"),
        ("jpeg of coefficients", pictures::jpeg_of_coefficients(), "photo_dimensions"),
        ("jpeg of scans", pictures::jpeg_of_scans(80, 40, 33), "photo_type_unknown"),
        ("jpeg cut short", pictures::jpeg_cut_short(), "photo_broken"),
        ("png cut short", pictures::png_cut_short(), "photo_broken"),
    ];
    for (name, picture, code) in cases {
        match lab().clean(picture.into()).await {
            Err(PhotoError::Bad(bad)) => assert_eq!(bad.code(), code, "{name}"),
            other => panic!("{name}: {other:?}"),
        }
    }
}

/// Legal in size, so they are opened. What they cost a server is measured in `uploads_survive_bad_clients`.
#[tokio::test]
async fn pictures_that_inflate_are_photos_or_broken_ones() {
    for picture in [pictures::png_bomb(), pictures::png_without_end(), pictures::png_profile_bomb()] {
        match lab().clean(picture.into()).await {
            Ok(_) | Err(PhotoError::Bad(BadPhoto::Broken | BadPhoto::TooSlow)) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn nothing_tells_where_a_photo_was_taken() {
    for original in [pictures::jpeg_full_of_secrets(), pictures::png_with_text(), pictures::webp_with_exif()] {
        assert!(pictures::SECRETS.iter().filter(|secret| holds(&original, secret)).count() >= 3);
        let photo = cleaned(original).await;
        for secret in pictures::SECRETS {
            assert!(!holds(&photo.large, secret) && !holds(&photo.small, secret), "{}", secret.escape_ascii());
        }
        assert_eq!((photo.width_px, photo.height_px), (40, 80));
        assert!(is_near(quarters(&opened(&photo.large)), [BLUE, RED, BLACK, GREEN]));
        assert!(is_near(quarters(&opened(&photo.small)), [BLUE, RED, BLACK, GREEN]));
    }
}

/// The output is start, tables, frame, scan, end, and the 16 bytes that say "JFIF": no other segment at all.
#[tokio::test]
async fn a_clean_photo_has_only_the_segments_of_a_picture() {
    let photo = cleaned(pictures::jpeg_full_of_secrets()).await;
    for jpeg in [photo.large, photo.small] {
        let mut at = 2;
        while jpeg[at + 1] != 0xDA {
            assert!(matches!(jpeg[at + 1], 0xE0 | 0xDB | 0xC0 | 0xC4), "marker {:#x}", jpeg[at + 1]);
            let length = usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
            assert!(jpeg[at + 1] != 0xE0 || length == 16);
            at += 2 + length;
        }
        assert!(jpeg.ends_with(&[0xFF, 0xD9]));
    }
}

#[tokio::test]
async fn photos_are_turned_upright() {
    let upright = [
        [RED, GREEN, BLUE, BLACK],
        [GREEN, RED, BLACK, BLUE],
        [BLACK, BLUE, GREEN, RED],
        [BLUE, BLACK, RED, GREEN],
        [RED, BLUE, GREEN, BLACK],
        [BLUE, RED, BLACK, GREEN],
        [BLACK, GREEN, BLUE, RED],
        [GREEN, BLACK, RED, BLUE],
    ];
    for (orientation, expected) in (1..).zip(upright) {
        let photo = cleaned(pictures::jpeg_turned(orientation)).await;
        let size = if orientation < 5 { (80, 40) } else { (40, 80) };
        assert_eq!((photo.width_px, photo.height_px), size, "orientation {orientation}");
        assert!(is_near(quarters(&opened(&photo.large)), expected), "orientation {orientation}");
    }
}

#[tokio::test]
async fn every_way_of_writing_colour_is_read() {
    const WHITE: [u8; 3] = [255; 3];
    let cases = [
        ("see-through", pictures::png_see_through(), [255, 127, 127]),
        ("sixteen bits", pictures::png_sixteen_bits(), WHITE),
        ("grey", pictures::png_grey(), [128; 3]),
        ("grey, see-through", pictures::png_grey_see_through(), WHITE),
        ("cmyk", pictures::jpeg_cmyk(), [255, 0, 0]),
    ];
    for (name, picture, colour) in cases {
        let seen = quarters(&opened(&cleaned(picture).await.large));
        assert!(is_near(seen, [colour; 4]), "{name}: {seen:?}");
    }
    assert_eq!(cleaned(pictures::webp_lossy()).await.width_px, 1);
}

#[tokio::test]
async fn photos_are_made_smaller_but_never_larger() {
    let cases = [
        ((4_000, 3_000), (1_600, 1_200), (320, 240)),
        ((1_000, 2_000), (800, 1_600), (160, 320)),
        ((1_600, 900), (1_600, 900), (320, 180)),
        ((200, 100), (200, 100), (200, 100)),
        ((9_000, 3), (1_600, 1), (320, 1)),
    ];
    for ((width, height), large, small) in cases {
        let photo = cleaned(pictures::jpeg(width, height)).await;
        assert_eq!((photo.width_px, photo.height_px), large);
        assert_eq!(opened(&photo.large).dimensions(), large);
        assert_eq!(opened(&photo.small).dimensions(), small);
    }
}

#[tokio::test]
async fn more_photos_than_decoders_wait_and_more_than_places_are_told_so() {
    let lab = PhotoLab::new(2, 1, Duration::from_secs(60));
    let photo = Bytes::from(pictures::jpeg(1_000, 800));
    let (first, second, third, fourth) =
        tokio::join!(lab.clean(photo.clone()), lab.clean(photo.clone()), lab.clean(photo.clone()), async {
            // Polled last: two decode, one waits.
            assert_eq!(lab.decoding(), 2);
            lab.clean(photo.clone()).await
        });
    assert!(first.is_ok() && second.is_ok() && third.is_ok());
    assert_eq!(fourth.expect_err("there is no place left"), PhotoError::Busy);
    assert!(lab.clean(photo).await.is_ok(), "the places are free again");
}

#[tokio::test]
async fn a_slow_photo_is_answered_in_time() {
    let lab = PhotoLab::new(1, 1, Duration::ZERO);
    let slow = lab.clean(pictures::jpeg(1_000, 800).into()).await;
    assert_eq!(slow.expect_err("no photo takes no time"), PhotoError::Bad(BadPhoto::TooSlow));
}

#[tokio::test]
async fn a_stored_photo_is_read_back_and_deleted() {
    let folder = std::env::temp_dir().join(format!("lastbite-media-{}", uuid::Uuid::now_v7()));
    let media = Media::folder(&folder).expect("a folder");
    let (large, small) = (Bytes::from_static(b"large"), Bytes::from_static(b"small"));
    let (key, other) = (PhotoKey::of(&large), PhotoKey::of(&large));
    assert_ne!(key, other, "equal photos have keys of their own");
    media.put(&key, large.clone(), small.clone()).await.expect("stored");
    media.put(&other, large.clone(), small.clone()).await.expect("stored");

    let key: PhotoKey = key.as_str().parse().expect("a key comes back from the database");
    // As a process leaves it that is killed in the middle of a write.
    let beside = folder.join(&other.as_str()[..2]).join(&other.as_str()[2..4]);
    std::fs::write(beside.join(format!("{other}-large.jpg#1")), b"half").expect("staged");
    media.delete(&other).await.expect("deleted");
    assert_eq!(std::fs::read_dir(&beside).expect("there").count(), 2, "only the other photo is left");
    assert_eq!(media.get(&key, Size::Large).await.expect("read"), Some(large));
    assert_eq!(media.get(&key, Size::Small).await.expect("read"), Some(small));
    media.delete(&key).await.expect("deleted");
    media.delete(&key).await.expect("deleting twice is no failure");
    assert_eq!(media.get(&key, Size::Large).await.expect("read"), None);
    assert_eq!(media.get(&key, Size::Small).await.expect("read"), None);
    std::fs::remove_dir_all(folder).expect("cleaned up");
}

#[test]
fn a_key_is_never_a_path() {
    let good = "0123456789abcdef0123456789abcdef0123456789abcdef";
    assert!(good.parse::<PhotoKey>().is_ok());
    let path = format!("../../../etc/passwd{}", &good[19..]);
    for bad in ["", "..", &good[1..], &good.to_uppercase(), &path, &format!("{good}0"), &good.replace('0', "/")] {
        assert_eq!(bad.parse::<PhotoKey>(), Err(NotAKey), "{bad}");
    }
}
