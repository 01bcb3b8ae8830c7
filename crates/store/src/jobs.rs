//! Jobs and their versions.

pub(crate) mod list;
pub(crate) mod row;

pub use list::{MAX_IDS, MAX_ROWS, get, rows};
pub use row::{JobChange, JobHead, NewJobRow, delete, head, insert, update, version, versions};
