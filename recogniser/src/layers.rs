//! The two kinds of layers: what mixes channels is a matrix product, what mixes neighbours is a loop.

use std::ops::Range;

use ndarray::{Array1, Array2, linalg::general_mat_mul};

use crate::weights::Weights;

/// The channels of a depthwise layer are worked on in groups of so many: a constant, for the compiler to use wide
/// instructions. All its numbers of channels are multiples.
const LANES: usize = 16;

type Lanes = [f32; LANES];

/// A square of pixels, a row of the matrix for each, a column for each channel.
pub(crate) struct Map {
    pub(crate) side: usize,
    pub(crate) pixels: Array2<f32>,
}

/// Rows of equal length, one after the other.
///
/// # Panics
/// If the numbers are too few or too many.
pub(crate) fn matrix(rows: usize, numbers: Vec<f32>) -> Array2<f32> {
    let columns = numbers.len() / rows;
    Array2::from_shape_vec((rows, columns), numbers).expect("the rows have one length")
}

pub(crate) fn relu6(matrix: &mut Array2<f32>) {
    matrix.map_inplace(|number| *number = number.clamp(0.0, 6.0));
}

/// Mixes the channels of each pixel and does not look at its neighbours.
pub(crate) struct Dense {
    /// A row for each channel in, a column for each channel out.
    weights: Array2<f32>,
    bias: Array1<f32>,
}

impl Dense {
    pub(crate) fn count_weights(into: usize, out: usize) -> usize {
        (into + 1) * out
    }

    pub(crate) fn new(weights: &mut Weights<'_>, into: usize, out: usize) -> Self {
        Self { weights: matrix(into, weights.take(into * out)), bias: weights.take(out).into() }
    }

    pub(crate) fn apply(&self, pixels: &Array2<f32>) -> Array2<f32> {
        let sum = Array2::zeros((pixels.nrows(), self.bias.len()));
        self.add_to(sum, pixels)
    }

    /// The product is added to what is there: a shortcut around the layers before costs nothing more.
    pub(crate) fn add_to(&self, mut sum: Array2<f32>, pixels: &Array2<f32>) -> Array2<f32> {
        sum += &self.bias;
        general_mat_mul(1.0, pixels, &self.weights, 1.0, &mut sum);
        sum
    }
}

/// Mixes each pixel with its neighbours, every channel for itself.
pub(crate) struct Depthwise {
    kernel: usize,
    stride: usize,
    /// For each group of channels, the kernel's rows.
    weights: Vec<Lanes>,
    /// For each group of channels.
    bias: Vec<Lanes>,
}

impl Depthwise {
    pub(crate) fn count_weights(kernel: usize, channels: usize) -> usize {
        (kernel * kernel + 1) * channels
    }

    pub(crate) fn new(weights: &mut Weights<'_>, kernel: usize, stride: usize, channels: usize) -> Self {
        let groups = channels / LANES;
        let by_tap = weights.take(kernel * kernel * channels);
        let by_tap = lanes(&by_tap);
        let by_group = (0..groups).flat_map(|group| by_tap.iter().skip(group).step_by(groups)).copied().collect();
        Self { kernel, stride, weights: by_group, bias: lanes(&weights.take(channels)).to_vec() }
    }

    pub(crate) fn apply(&self, map: &Map) -> Map {
        let span = Span { kernel: self.kernel, stride: self.stride, side: map.side };
        let (side, groups) = (span.places(), self.bias.len());
        let pixels = map.pixels.as_slice().expect("maps are kept row by row");
        let pixels = lanes(pixels);
        let mut mixed: Vec<Lanes> = vec![[0.0; LANES]; side * side * groups];
        for (y, row) in mixed.chunks_exact_mut(side * groups).enumerate() {
            let (rows, top) = span.taps(y);
            for (group, weights) in self.weights.chunks_exact(self.kernel * self.kernel).enumerate() {
                for x in 0..side {
                    let (columns, left) = span.taps(x);
                    let mut sum = self.bias[group];
                    for (tap_y, pixel_y) in rows.clone().zip(top..) {
                        let weights = &weights[tap_y * self.kernel..][columns.clone()];
                        let seen = pixels[(pixel_y * map.side + left) * groups + group..].iter().step_by(groups);
                        for (weight, seen) in weights.iter().zip(seen) {
                            for lane in 0..LANES {
                                sum[lane] += weight[lane] * seen[lane];
                            }
                        }
                    }
                    row[x * groups + group] = sum.map(|number| number.clamp(0.0, 6.0));
                }
            }
        }
        Map { side, pixels: matrix(side * side, mixed.into_flattened()) }
    }
}

/// In whole groups.
///
/// # Panics
/// If a rest is left.
fn lanes(numbers: &[f32]) -> &[Lanes] {
    let (lanes, rest) = numbers.as_chunks();
    assert!(rest.is_empty(), "{} channels too many", rest.len());
    lanes
}

/// How a kernel goes over a square, along one side. Beyond the border everything is zero; where the border is odd, as
/// TensorFlow's "same" has it, the wider part is right and below.
pub(crate) struct Span {
    pub(crate) kernel: usize,
    pub(crate) stride: usize,
    pub(crate) side: usize,
}

impl Span {
    /// How often the kernel is set down.
    pub(crate) fn places(&self) -> usize {
        self.side.div_ceil(self.stride)
    }

    /// Which part of the kernel lies inside the square, and on which pixel that part begins.
    pub(crate) fn taps(&self, place: usize) -> (Range<usize>, usize) {
        let border = ((self.places() - 1) * self.stride + self.kernel).saturating_sub(self.side) / 2;
        let begin = place * self.stride;
        let first = border.saturating_sub(begin);
        let end = self.kernel.min(self.side + border - begin);
        (first..end, begin + first - border)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_stays_inside() {
        let span = Span { kernel: 5, stride: 2, side: 8 };
        let taps: Vec<_> = (0..span.places()).map(|place| span.taps(place)).collect();
        assert_eq!(taps, [(1..5, 0), (0..5, 1), (0..5, 3), (0..3, 5)]);
        let span = Span { kernel: 3, stride: 1, side: 3 };
        let taps: Vec<_> = (0..span.places()).map(|place| span.taps(place)).collect();
        assert_eq!(taps, [(1..3, 0), (0..3, 0), (0..2, 1)]);
    }
}
