//! The planner as its caller sees it.

use super::*;
