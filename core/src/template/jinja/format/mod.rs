//! Python's two ways to put values into strings.

pub(crate) mod braces;
pub(crate) mod number;
pub(crate) mod percent;
pub(crate) mod spec;
