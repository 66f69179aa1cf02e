//! What stands at every position of a run: the stages of its pipeline, then the items of its
//! fan-outs in the order in which they were opened.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use crate::pipeline::{Pipeline, Stage, StageIndex};

/// The positions of a run. It grows when a fan-out opens.
#[derive(Clone, Debug)]
pub struct Layout {
    pipeline: Arc<Pipeline>,
    /// By their first position.
    fan_outs: Vec<Span>,
    len: usize,
}

/// The items of one fan-out.
#[derive(Clone, Copy, Debug)]
struct Span {
    first: usize,
    count: usize,
    stage: StageIndex,
}

impl Layout {
    /// Returns the layout of a run in which no fan-out has opened.
    pub fn new(pipeline: Arc<Pipeline>) -> Self {
        let len = pipeline.stages().len();
        Self { pipeline, fan_outs: Vec::new(), len }
    }

    /// Returns the pipeline.
    pub fn pipeline(&self) -> &Arc<Pipeline> {
        &self.pipeline
    }

    /// Returns every position.
    pub fn indices(&self) -> impl DoubleEndedIterator<Item = StageIndex> + use<> {
        (0..self.len).map(StageIndex)
    }

    /// Returns the stage of a position: of an item, the one it is an item of.
    pub fn stage_of(&self, index: StageIndex) -> StageIndex {
        self.span_of(index).map_or(index, |span| span.stage)
    }

    /// Returns the number of an item in its fan-out, 0 for the first; `None` for a stage.
    pub fn item_of(&self, index: StageIndex) -> Option<usize> {
        self.span_of(index).map(|span| index.0 - span.first)
    }

    /// Returns the positions of the items of a stage, once its fan-out is open.
    pub fn items_of(&self, stage: StageIndex) -> Option<Range<usize>> {
        let span = self.fan_outs.iter().find(|span| span.stage == stage)?;
        Some(span.first..span.first + span.count)
    }

    /// Returns the position of an item, if there is such an item.
    pub fn item(&self, stage: StageIndex, item: usize) -> Option<StageIndex> {
        let items = self.items_of(stage)?;
        (item < items.len()).then(|| StageIndex(items.start + item))
    }

    /// Returns the position of `fetch`, or of its item `fetch[17]`.
    pub fn find(&self, name: &str) -> Option<StageIndex> {
        let stages = self.pipeline.stages();
        let position =
            |name: &str| stages.iter().position(|stage| *stage.name == *name).map(StageIndex);
        position(name).or_else(|| {
            let (stage, item) = name.strip_suffix(']')?.rsplit_once('[')?;
            self.item(position(stage)?, item.parse().ok()?)
        })
    }

    /// Returns what is to be done at a position.
    pub fn definition(&self, index: StageIndex) -> &Stage {
        self.pipeline.stage(self.stage_of(index))
    }

    /// Returns the name of a position: `fetch`, or `fetch[17]` for an item.
    pub fn name(&self, index: StageIndex) -> Cow<'_, str> {
        let name = &self.definition(index).name;
        match self.item_of(index) {
            None => Cow::Borrowed(name),
            Some(item) => Cow::Owned(format!("{name}[{item}]")),
        }
    }

    /// Adds the items of a stage behind all others.
    pub(super) fn open(&mut self, stage: StageIndex, count: usize) -> Range<usize> {
        let first = self.len;
        if 0 < count {
            self.fan_outs.push(Span { first, count, stage });
            self.len += count;
        }
        first..self.len
    }

    fn span_of(&self, index: StageIndex) -> Option<Span> {
        if index.0 < self.pipeline.stages().len() {
            return None;
        }
        let behind = self.fan_outs.partition_point(|span| span.first <= index.0);
        self.fan_outs.get(behind.checked_sub(1)?).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::PipelineBuilder;

    #[test]
    fn items_stand_behind_all_stages_in_the_order_of_opening() {
        let pipeline = PipelineBuilder::new("day")
            .stage(Stage::new("list", "f"))
            .stage(Stage::new("north", "f").map_over("list", None))
            .stage(Stage::new("south", "f").map_over("list", None))
            .build()
            .unwrap();
        let mut layout = Layout::new(Arc::new(pipeline));
        let (list, north, south) = (StageIndex(0), StageIndex(1), StageIndex(2));
        assert_eq!(layout.open(south, 2), 3..5);
        assert_eq!(layout.open(north, 3), 5..8);
        let names: Vec<_> = layout.indices().map(|at| layout.name(at).into_owned()).collect();
        let expected =
            ["list", "north", "south", "south[0]", "south[1]", "north[0]", "north[1]", "north[2]"];
        assert_eq!(names, expected);
        assert_eq!(layout.item(north, 2), Some(StageIndex(7)));
        assert_eq!(layout.item(north, 3), None);
        assert_eq!(layout.items_of(list), None);
        assert_eq!(layout.find("north[2]"), Some(StageIndex(7)));
        assert_eq!(layout.find("list"), Some(list));
        for unknown in ["north[3]", "list[0]", "east", "north[x]", "north]"] {
            assert_eq!(layout.find(unknown), None, "{unknown}");
        }
        assert_eq!(layout.stage_of(StageIndex(4)), south);
        assert_eq!(layout.item_of(StageIndex(4)), Some(1));
    }
}
