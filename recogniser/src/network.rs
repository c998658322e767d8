//! EfficientNet-Lite0 as a list of layers, and the way through them.
//!
//! The variant "Lite" has neither squeeze-and-excitation nor swish, and batch normalisation is folded into the weights.
//! So two kinds of layers are enough, and there is nothing here that another network would need.

use std::iter;

use ndarray::{Array2, Axis};

use crate::{
    CLASSES,
    layers::{Dense, Depthwise, Map, Span, matrix, relu6},
    weights::Weights,
};

/// The network sees a square of this side, in three colours.
pub(crate) const INPUT_SIDE_PX: usize = 224;

const COLOURS: usize = 3;
const STEM: Span = Span { kernel: 3, stride: 2, side: INPUT_SIDE_PX };
/// What one place of the stem's kernel sees.
const STEM_SEES: usize = STEM.kernel * STEM.kernel * COLOURS;
const STEM_CHANNELS: usize = 32;
const LAST_CHANNELS: usize = 320;
const FEATURES: usize = 1_280;

/// A run of blocks; only the first of them has the stride and changes the channels.
struct Stage {
    blocks: usize,
    first: Shape,
}

const STAGES: [Stage; 7] = [
    Stage { blocks: 1, first: Shape { kernel: 3, stride: 1, expansion: 1, into: STEM_CHANNELS, out: 16 } },
    Stage { blocks: 2, first: Shape { kernel: 3, stride: 2, expansion: 6, into: 16, out: 24 } },
    Stage { blocks: 2, first: Shape { kernel: 5, stride: 2, expansion: 6, into: 24, out: 40 } },
    Stage { blocks: 3, first: Shape { kernel: 3, stride: 2, expansion: 6, into: 40, out: 80 } },
    Stage { blocks: 3, first: Shape { kernel: 5, stride: 1, expansion: 6, into: 80, out: 112 } },
    Stage { blocks: 4, first: Shape { kernel: 5, stride: 2, expansion: 6, into: 112, out: 192 } },
    Stage { blocks: 1, first: Shape { kernel: 3, stride: 1, expansion: 6, into: 192, out: LAST_CHANNELS } },
];

fn shapes() -> impl Iterator<Item = Shape> {
    STAGES.iter().flat_map(|Stage { blocks, first }| {
        let other = Shape { stride: 1, into: first.out, ..*first };
        iter::once(*first).chain(iter::repeat_n(other, blocks - 1))
    })
}

/// All layers, in the order of the file of weights.
pub(crate) struct Network {
    stem: Dense,
    blocks: Vec<Block>,
    head: Dense,
    classifier: Dense,
}

impl Network {
    /// How many numbers [`Self::new`] takes.
    pub(crate) fn count_weights() -> usize {
        Dense::count_weights(STEM_SEES, STEM_CHANNELS)
            + shapes().map(Shape::count_weights).sum::<usize>()
            + Dense::count_weights(LAST_CHANNELS, FEATURES)
            + Dense::count_weights(FEATURES, CLASSES)
    }

    pub(crate) fn new(weights: &mut Weights<'_>) -> Self {
        Self {
            stem: Dense::new(weights, STEM_SEES, STEM_CHANNELS),
            blocks: shapes().map(|shape| Block::new(weights, shape)).collect(),
            head: Dense::new(weights, LAST_CHANNELS, FEATURES),
            classifier: Dense::new(weights, FEATURES, CLASSES),
        }
    }

    /// One number for each class, the larger the likelier. `input` has [`INPUT_SIDE_PX`] rows of as many pixels of
    /// three colours, each from -1 to 1.
    pub(crate) fn logits(&self, input: &[f32]) -> Vec<f32> {
        let mut map = Map { side: STEM.places(), pixels: self.stem.apply(&neighbourhoods(input)) };
        relu6(&mut map.pixels);
        for block in &self.blocks {
            map = block.apply(map);
        }
        let mut features = self.head.apply(&map.pixels);
        relu6(&mut features);
        let pixels = features.nrows() as f32;
        let mean = features.sum_axis(Axis(0)) / pixels;
        self.classifier.apply(&mean.insert_axis(Axis(0))).into_iter().collect()
    }
}

/// What the stem's kernel sees at each of its places, a row for each: so its convolution is a matrix product too.
fn neighbourhoods(input: &[f32]) -> Array2<f32> {
    let side = STEM.places();
    let mut seen = vec![0.0; side * side * STEM_SEES];
    for (place, seen) in seen.chunks_exact_mut(STEM_SEES).enumerate() {
        let ((rows, top), (columns, left)) = (STEM.taps(place / side), STEM.taps(place % side));
        for (row, y) in rows.zip(top..) {
            let into = &mut seen[row * STEM.kernel * COLOURS..][columns.start * COLOURS..columns.end * COLOURS];
            into.copy_from_slice(&input[(y * INPUT_SIDE_PX + left) * COLOURS..][..into.len()]);
        }
    }
    matrix(side * side, seen)
}

#[derive(Clone, Copy)]
struct Shape {
    kernel: usize,
    stride: usize,
    /// How many times wider the block is inside.
    expansion: usize,
    /// Channels.
    into: usize,
    /// Channels.
    out: usize,
}

impl Shape {
    fn count_weights(self) -> usize {
        let wide = self.into * self.expansion;
        let expand = if self.expansion > 1 { Dense::count_weights(self.into, wide) } else { 0 };
        expand + Depthwise::count_weights(self.kernel, wide) + Dense::count_weights(wide, self.out)
    }
}

/// Wider, then across, then narrow again; with a shortcut around all three where the shape allows it.
struct Block {
    expand: Option<Dense>,
    depthwise: Depthwise,
    project: Dense,
    has_shortcut: bool,
}

impl Block {
    fn new(weights: &mut Weights<'_>, shape: Shape) -> Self {
        let wide = shape.into * shape.expansion;
        Self {
            expand: (shape.expansion > 1).then(|| Dense::new(weights, shape.into, wide)),
            depthwise: Depthwise::new(weights, shape.kernel, shape.stride, wide),
            project: Dense::new(weights, wide, shape.out),
            has_shortcut: shape.stride == 1 && shape.into == shape.out,
        }
    }

    fn apply(&self, map: Map) -> Map {
        let mixed = match &self.expand {
            Some(expand) => {
                let mut wide = Map { side: map.side, pixels: expand.apply(&map.pixels) };
                relu6(&mut wide.pixels);
                self.depthwise.apply(&wide)
            }
            None => self.depthwise.apply(&map),
        };
        let pixels = if self.has_shortcut {
            self.project.add_to(map.pixels, &mixed.pixels)
        } else {
            self.project.apply(&mixed.pixels)
        };
        Map { side: mixed.side, pixels }
    }
}
