//! What the news of a task's guard does to it.

use super::apply::Why;
use super::state::RunState;
use crate::model::names::TaskIx;
use crate::model::{Millis, Time};

impl RunState {
    pub(super) fn guard_extended(&mut self, _at: Time, _ix: TaskIx, _left: Millis) -> Result<(), Why> {
        self.need_live()?;
        Err("the task has no guard that is armed".into())
    }
}
