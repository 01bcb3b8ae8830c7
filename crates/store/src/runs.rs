//! Runs and their history.

pub(crate) mod events;
pub(crate) mod list;
pub(crate) mod row;

pub use events::{MAX_EVENTS, NewRunEvent, append_event, events};
pub use list::{get, list};
pub use row::{
    NewRunRow, RunRow, insert, launch, open_row_of_job, open_rows, row, set_checkpoint_dir, set_collected,
    set_to_collect, to_collect, to_collect_of_job, touch_observed, update,
};
