//! The embedded weights: halves, little-endian, one tensor after the other, without a header. The order is the
//! network's and is written down in `tools/recogniser.py`.

/// What has not been taken yet.
pub(crate) struct Weights<'a> {
    halves: &'a [[u8; 2]],
}

impl<'a> Weights<'a> {
    pub(crate) fn new(model: &'a [u8]) -> Self {
        Self { halves: model.as_chunks().0 }
    }

    /// The next `count` numbers.
    ///
    /// # Panics
    /// If fewer are left: the length of the file is checked before it is cut up.
    pub(crate) fn take(&mut self, count: usize) -> Vec<f32> {
        let (taken, rest) = self.halves.split_at(count);
        self.halves = rest;
        taken.iter().map(|half| single(u16::from_le_bytes(*half))).collect()
    }
}

/// IEEE half to single precision, exactly. (`f16` is not in stable Rust.)
fn single(half: u16) -> f32 {
    let sign = u32::from(half >> 15) << 31;
    let magnitude = u32::from(half & 0x7FFF);
    if magnitude < 0x0400 {
        // Zero and subnormal: a count of steps of 2⁻²⁴.
        let steps = magnitude as f32 * (1.0 / 16_777_216.0);
        return f32::from_bits(steps.to_bits() | sign);
    }
    // The exponent's bias goes from 15 to 127. Infinities do not occur: the converter refuses them.
    f32::from_bits(((magnitude << 13) + ((127 - 15) << 23)) | sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_read_exactly() {
        let known = [
            (0x0000, 0.0),
            (0x3C00, 1.0),
            (0xC000, -2.0),
            (0x3555, 0.333_251_95),
            (0x7BFF, 65_504.0),
            (0x0400, 0.000_061_035_156),
            (0x0001, 5.960_464_5e-8),
            (0x83FF, -0.000_060_975_55),
        ];
        for (half, number) in known {
            assert_eq!(single(half), number, "{half:#06x}");
        }
    }
}
