//! The page on which a cache is watched, for the server and for caches of a program alike.
//!
//! Read in this order: [`seen`] (what there is to show, as plain data), [`course`] (what it was like
//! lately, in a ring), [`document`] (both as HTML; [`charts`] as SVG, [`text`] as words and numbers),
//! [`answers`] (which path is answered by what, with which headers, and who may ask by which name).
//!
//! Nothing here knows a socket, a clock, a cache or a lock: who serves the page fills in what is seen
//! and sends what it is given. Keys are foreign bytes: [`text::shown`] is the only way to show one, and
//! what makes HTML of it escapes it once more. See docs/decisions/0036.

pub mod answers;
pub mod charts;
pub mod course;
pub mod document;
pub mod seen;
pub mod text;
