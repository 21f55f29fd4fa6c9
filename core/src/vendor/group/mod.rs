//! One driver for each ABI group: owned data in, the group's structs and calls out.
//!
//! [`driver`] is what all groups have in common; a group's file is the only place that touches its
//! layouts.

#[macro_use]
mod calls;
#[macro_use]
mod fill;
mod buffers;
mod driver;
mod held;
mod host;
mod results;
mod table;
#[cfg(test)]
mod tests;
mod v1_0_0;
mod v1_0_1;
mod v1_1_0;
mod v1_2_0;
mod v1_2_1;
mod v1_3_0;

use std::ffi::CStr;

use super::abi;
use super::abi::layout::{Address, GroupLayout};
use super::extension::Table;
use super::version::Version;
use super::{Driver, RunEvent, Token};

/// The ABI groups, oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Group {
    V1_0_0,
    V1_0_1,
    V1_1_0,
    V1_2_0,
    V1_2_1b1,
    V1_2_1,
    V1_3_0,
}

/// Finds the address of a library's function.
type Find<'a> = &'a mut dyn FnMut(&'static CStr) -> Result<Address, String>;

impl Group {
    pub const ALL: [Self; 7] = [
        Self::V1_0_0,
        Self::V1_0_1,
        Self::V1_1_0,
        Self::V1_2_0,
        Self::V1_2_1b1,
        Self::V1_2_1,
        Self::V1_3_0,
    ];

    /// The group of this name, which is one of those that the table of official files has.
    pub fn named(name: &str) -> Self {
        let named = Self::ALL.into_iter().find(|group| group.name() == name);
        named.expect("every group of the table is here")
    }

    /// Its structs and functions.
    pub fn layout(self) -> &'static GroupLayout {
        abi::GROUPS[self as usize]
    }

    /// The first release of the group, which names it.
    pub fn name(self) -> &'static str {
        self.layout().name
    }

    /// The group of a release; of releases that are not known, the newest group.
    pub fn newest(self) -> Version {
        let newest = match self {
            Self::V1_0_0 => "1.0.0",
            Self::V1_0_1 => "1.0.2",
            Self::V1_1_0 => "1.1.4",
            Self::V1_2_0 => "1.2.0",
            Self::V1_2_1b1 => "1.2.1b1",
            Self::V1_2_1 => "1.2.3",
            Self::V1_3_0 => "1.3.0",
        };
        Version::known(newest)
    }

    /// The driver for a library of this group, which must stay loaded for good.
    ///
    /// # Safety
    /// `find` gives the addresses of the library's symbols, and the library is of this group.
    pub unsafe fn driver(
        self,
        find: Find<'_>,
        table: Option<Table>,
    ) -> Result<Box<dyn Driver>, String> {
        use driver::library;
        // SAFETY: handed on from the caller; 1.2.0 does not look at what the layout of 1.2.1b1 adds at
        // the end of an input (`ABI.md` section 2).
        unsafe {
            match self {
                Self::V1_0_0 => library::<abi::v1_0_0::Functions>(find, table),
                Self::V1_0_1 => library::<abi::v1_0_1::Functions>(find, table),
                Self::V1_1_0 => library::<abi::v1_1_0::Functions>(find, table),
                Self::V1_2_0 | Self::V1_2_1b1 => library::<abi::v1_2_1b1::Functions>(find, table),
                Self::V1_2_1 => library::<abi::v1_2_1::Functions>(find, table),
                Self::V1_3_0 => library::<abi::v1_3_0::Functions>(find, table),
            }
        }
    }
}

/// What a callback of the groups before 1.1.0 reports: they have no token ids, and other numbers for
/// the states.
fn old_event(state: u32, text: Vec<u8>, logprobs: Vec<(i32, f32)>) -> Option<RunEvent> {
    match state {
        abi::v1_0_0::LLM_RUN_NORMAL => Some(RunEvent::Token(Token {
            text,
            logprobs,
            ..Token::default()
        })),
        abi::v1_0_0::LLM_RUN_FINISH => Some(RunEvent::Finish { perf: None }),
        abi::v1_0_0::LLM_RUN_ERROR => Some(RunEvent::Error { message: None }),
        _ => None,
    }
}
