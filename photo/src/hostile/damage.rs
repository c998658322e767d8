//! What a broken disk, a lost packet or a fuzzer does to good pictures: always the same, from a seed.

use super::{Case, good::Good, pieces};

const FLIPPED_EACH: usize = 40;
const CUT_ANYWHERE_EACH: usize = 12;

/// A few bits are not what they were. In every second file the checksums agree with the damage.
pub(super) fn bits(good: &Good) -> Vec<Case> {
    let mut dice = Dice::of(good);
    let flipped = (0..FLIPPED_EACH).map(|file| {
        let mut pieces = vec![good.bytes.clone()];
        if file % 2 == 1 {
            pieces = pieces::split(good.kind, &good.bytes);
        }
        for _ in 0..=dice.below(8) {
            let piece = dice.below(pieces.len());
            let byte = dice.below(pieces[piece].len());
            pieces[piece][byte] ^= 1 << dice.below(8);
        }
        let bytes = if file % 2 == 1 { pieces::join(good.kind, pieces) } else { pieces.concat() };
        Case::new(good.name, bytes)
    });
    flipped.collect()
}

/// Cut short where a piece ends, one byte before and after, and anywhere.
pub(super) fn cuts(good: &Good) -> Vec<Case> {
    let mut dice = Dice::of(good);
    let mut ends = vec![1];
    let mut at = 0;
    for piece in pieces::split(good.kind, &good.bytes) {
        at += piece.len();
        ends.extend([at - 1, at, at + 1]);
    }
    ends.extend((0..CUT_ANYWHERE_EACH).map(|_| dice.below(good.bytes.len())));
    let cut = ends.into_iter().filter_map(|end| good.bytes.get(..end));
    cut.map(|bytes| Case::new(good.name, bytes.to_vec())).collect()
}

/// Every piece lies about its length.
pub(super) fn lengths(good: &Good) -> Vec<Case> {
    let pieces = pieces::split(good.kind, &good.bytes);
    let mut cases = Vec::new();
    for (at, piece) in pieces.iter().enumerate() {
        let Some(length) = pieces::length_of(good.kind, piece) else { continue };
        let past_the_end = u32::try_from(good.bytes.len()).unwrap();
        for lie in [
            0,
            1,
            2,
            length + 1,
            length.saturating_sub(1),
            past_the_end,
            i32::MAX.unsigned_abs(),
            u32::MAX - 8,
            u32::MAX,
        ] {
            let mut pieces = pieces.clone();
            pieces::set_length(good.kind, &mut pieces[at], lie);
            cases.push(Case::new(good.name, pieces.concat()));
        }
    }
    cases
}

/// A piece comes twice, not at all, last, or after its follower; the whole picture comes twice.
pub(super) fn order(good: &Good) -> Vec<Case> {
    let pieces = pieces::split(good.kind, &good.bytes);
    let changed = |change: &dyn Fn(&mut Vec<Vec<u8>>)| {
        let mut pieces = pieces.clone();
        change(&mut pieces);
        Case::new(good.name, pieces::join(good.kind, pieces))
    };
    let mut cases = vec![changed(&|pieces| pieces.extend_from_within(..)), changed(&|pieces| pieces.reverse())];
    for at in 0..pieces.len() {
        cases.push(changed(&|pieces| pieces.insert(at, pieces[at].clone())));
        cases.push(changed(&|pieces| drop(pieces.remove(at))));
        cases.push(changed(&|pieces| pieces[at..].rotate_left(1)));
        if at + 1 < pieces.len() {
            cases.push(changed(&|pieces| pieces.swap(at, at + 1)));
        }
    }
    cases
}

/// The size in pixels is a lie, and the checksums agree with it.
pub(super) fn dimensions(good: &Good) -> Vec<Case> {
    const LIES: [(u32, u32); 14] = [
        (0, 0),
        (0, 48),
        (72, 0),
        (1, 1),
        (71, 48),
        (73, 49),
        (1, 10_000),
        (10_000, 1),
        (10_001, 1),
        (10_000, 5_000),
        (16_383, 16_384),
        (65_535, 65_535),
        (0x8000_0000, 1),
        (u32::MAX, u32::MAX),
    ];
    let lied = LIES.into_iter().map(|(width_px, height_px)| {
        let mut pieces = pieces::split(good.kind, &good.bytes);
        pieces::set_dimensions(good.kind, &mut pieces, width_px, height_px);
        Case::new(good.name, pieces::join(good.kind, pieces))
    });
    lied.collect()
}

/// Numbers that look random and are the same in every run (splitmix64).
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn of(good: &Good) -> Self {
        Self(good.name.bytes().fold(1, |seed, byte| seed * 31 % 1_000_003 + u64::from(byte)))
    }

    pub(super) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.roll() % u64::try_from(end).unwrap()).unwrap()
    }
}
