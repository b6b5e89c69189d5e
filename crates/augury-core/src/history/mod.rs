//! Access history: what is remembered of each object, while resident and after.
//!
//! Third stage of the data flow. [`History`] stands inline in a resident's slot; [`Ghosts`] keep a
//! packed form of it once the object has left. Nothing here decides anything.

mod age;
mod ghosts;
mod record;
mod saved;

pub use age::{AGE_BUCKETS, age_bucket, bucket_start};
pub use ghosts::Ghosts;
pub(crate) use record::halvings;
pub use record::{
    CLASSES_MAX, History, NAMESPACES_MAX, NO_REUSE, SIZE_BUCKETS, heat_code, heat_of,
};
pub use saved::{SAVED_BYTES, SavedHistory};
