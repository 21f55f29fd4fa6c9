//! Which groups' layouts agree with what `rkllm_createDefaultParam` wrote.
//!
//! The function fills two buffers that held different bytes before. A byte that is still the old one in
//! both was not written; the documented defaults (`BEHAVIOUR.md` section 1 of the vendor facts) have to
//! stand where the group has the fields. Other fields and the gaps between fields may hold anything.

use crate::vendor::abi::layout::{FieldLayout, GroupLayout, StructLayout};

/// What the two buffers held before.
pub const POISON: [u8; 2] = [0xa5, 0x5a];

/// How many bytes are looked at; every group's struct is smaller.
pub const SEEN: usize = 512;

/// The beginnings of the two buffers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filled(pub [[u8; SEEN]; 2]);

/// A documented default.
enum Documented {
    Int(i32),
    Float(f32),
    Byte(u8),
}

const IN_PARAM: [(&str, Documented); 7] = [
    ("top_k", Documented::Int(40)),
    ("top_p", Documented::Float(0.9)),
    ("temperature", Documented::Float(0.8)),
    ("repeat_penalty", Documented::Float(1.1)),
    ("frequency_penalty", Documented::Float(0.0)),
    ("mirostat_tau", Documented::Float(5.0)),
    ("mirostat_eta", Documented::Float(0.1)),
];

/// Older groups do not have all of these.
const IN_EXTEND_PARAM: [(&str, Documented); 2] = [
    ("base_domain_id", Documented::Int(0)),
    ("n_batch", Documented::Byte(1)),
];

/// Fields that are a yes or no without having C's `bool`.
const SWITCHES: [&str; 1] = ["use_cross_attn"];

impl Filled {
    /// Whether a library of `group` could have written this.
    pub fn fits(&self, group: &GroupLayout) -> bool {
        let Some(param) = find(group, "RKLLMParam") else {
            return false;
        };
        let beyond = param.size.here()..SEEN;
        let inside = IN_PARAM.iter().all(|(name, default)| {
            let field = param.fields.iter().find(|field| field.name == *name);
            field.is_some_and(|field| self.holds(field.offset.here(), default))
        });
        inside
            && beyond.into_iter().all(|at| !self.written(at))
            && self.switches_fit(param, 0)
            && self.extension_fits(group, param)
    }

    /// What 1.1.0 and later have in `extend_param`.
    fn extension_fits(&self, group: &GroupLayout, param: &StructLayout) -> bool {
        let field = param
            .fields
            .iter()
            .find(|field| field.name == "extend_param");
        let Some((field, extension)) =
            field.and_then(|field| Some((field, find(group, field.ty)?)))
        else {
            return true;
        };
        let start = field.offset.here();
        let defaults = IN_EXTEND_PARAM.iter().all(|(name, default)| {
            let field = extension.fields.iter().find(|field| field.name == *name);
            field.is_none_or(|field| self.holds(start + field.offset.here(), default))
        });
        defaults && self.switches_fit(extension, start)
    }

    /// Whether each yes or no of a struct that begins at `start` is one, where it was written.
    fn switches_fit(&self, of: &StructLayout, start: usize) -> bool {
        let switch = |field: &&FieldLayout| field.ty == "c_bool" || SWITCHES.contains(&field.name);
        of.fields.iter().filter(switch).all(|field| {
            let at = start + field.offset.here();
            !self.written(at) || self.0.iter().all(|buffer| buffer[at] <= 1)
        })
    }

    fn written(&self, at: usize) -> bool {
        let [first, second] = &self.0;
        [first[at], second[at]] != POISON
    }

    /// Whether both buffers have the default at `at`. An unwritten byte never has, because the
    /// two buffers differ there.
    fn holds(&self, at: usize, default: &Documented) -> bool {
        let bytes = match default {
            Documented::Int(number) => &number.to_ne_bytes()[..],
            Documented::Float(number) => &number.to_ne_bytes()[..],
            Documented::Byte(number) => &[*number][..],
        };
        self.0.iter().all(|buffer| buffer[at..].starts_with(bytes))
    }
}

fn find(group: &GroupLayout, name: &str) -> Option<&'static StructLayout> {
    group
        .structs
        .iter()
        .find(|found| found.name == name)
        .copied()
}

#[cfg(test)]
mod tests {
    use super::super::symbols;
    use super::*;
    use crate::vendor::abi::{GROUPS, v1_1_0, v1_2_1, v1_3_0};

    /// Buffers nobody wrote to.
    fn untouched() -> Filled {
        Filled(POISON.map(|byte| [byte; SEEN]))
    }

    fn put(filled: &mut Filled, at: usize, bytes: &[u8]) {
        for buffer in &mut filled.0 {
            buffer[at..at + bytes.len()].copy_from_slice(bytes);
        }
    }

    fn offset(group: &GroupLayout, name: &str) -> usize {
        let param = find(group, "RKLLMParam").unwrap();
        let of = |of: &StructLayout, name: &str| {
            let field = of.fields.iter().find(|field| field.name == name);
            field.map(|field| field.offset.here())
        };
        of(param, name).unwrap_or_else(|| {
            let extension = of(find(group, "RKLLMExtendParam").unwrap(), name).unwrap();
            of(param, "extend_param").unwrap() + extension
        })
    }

    /// What a library of the group writes that sets the documented defaults, over `rest` elsewhere in
    /// the struct or nothing at all.
    fn filled(group: &GroupLayout, rest: Option<u8>) -> Filled {
        let param = find(group, "RKLLMParam").unwrap();
        let mut filled = untouched();
        if let Some(rest) = rest {
            put(&mut filled, 0, &vec![rest; param.size.here()]);
        }
        let defaults = IN_PARAM.iter().chain(&IN_EXTEND_PARAM);
        for (name, default) in defaults {
            let extended = find(group, "RKLLMExtendParam");
            let has = |of: &StructLayout| of.fields.iter().any(|field| field.name == *name);
            if !has(param) && !extended.is_some_and(has) {
                continue;
            }
            let at = offset(group, name);
            match default {
                Documented::Int(number) => put(&mut filled, at, &number.to_ne_bytes()),
                Documented::Float(number) => put(&mut filled, at, &number.to_ne_bytes()),
                Documented::Byte(number) => put(&mut filled, at, &[*number]),
            }
        }
        filled
    }

    fn fitting(filled: &Filled) -> Vec<&'static str> {
        let fits = GROUPS.iter().filter(|group| filled.fits(group));
        fits.map(|group| group.name).collect()
    }

    #[test]
    fn with_the_symbols_each_group_is_known_by_what_it_writes() {
        for rest in [None, Some(0), Some(1)] {
            for group in GROUPS {
                let has = |name: &str| group.functions.iter().any(|function| function.name == name);
                let allowed = symbols::groups(has).ok().unwrap();
                let filled = filled(group, rest);
                let fits = allowed.iter().filter(|group| filled.fits(group));
                let fits: Vec<_> = fits.map(|group| group.name).collect();
                let expected: &[_] = match group.name {
                    "1.2.0" | "1.2.1b1" => &["1.2.0", "1.2.1b1"],
                    name => &[name],
                };
                assert_eq!(fits, expected, "{} over {rest:?}", group.name);
            }
        }
    }

    #[test]
    fn groups_that_have_the_sampling_settings_elsewhere_are_told_apart_without_symbols() {
        let first = |group: &GroupLayout| fitting(&filled(group, None))[0];
        let firsts: Vec<_> = GROUPS.iter().map(|group| first(group)).collect();
        assert_eq!(
            firsts,
            [
                "1.0.0", "1.0.1", "1.1.0", "1.2.0", "1.2.0", "1.2.0", "1.3.0"
            ]
        );
    }

    #[test]
    fn nothing_fits_an_untouched_buffer_or_an_empty_struct() {
        assert_eq!(fitting(&untouched()), [""; 0]);
        let mut zero = untouched();
        put(&mut zero, 0, &[0; 208]);
        assert_eq!(fitting(&zero), [""; 0]);
    }

    #[test]
    fn one_wrong_thing_excludes_a_group() {
        let group = &v1_3_0::GROUP;
        let change = |name: &str, bytes: &[u8]| {
            let mut filled = filled(group, None);
            put(&mut filled, offset(group, name), bytes);
            filled.fits(group)
        };
        assert!(change("n_keep", &[7]) && change("model_path", &[7]));
        assert!(change("is_async", &[1]) && change("use_cross_attn", &[1]));
        assert!(!change("is_async", &[2]) && !change("use_cross_attn", &[2]));
        assert!(!change("top_k", &[41]) && !change("temperature", &[0]));
        assert!(!change("frequency_penalty", &[0, 0, 0, 0x40]));
        assert!(!change("n_batch", &[0]) && !change("base_domain_id", &[1]));
    }

    #[test]
    fn a_byte_beyond_the_struct_excludes_it() {
        for group in [&v1_1_0::GROUP, &v1_2_1::GROUP, &v1_3_0::GROUP] {
            let mut filled = filled(group, Some(0));
            let size = find(group, "RKLLMParam").unwrap().size.here();
            put(&mut filled, size, &[0]);
            assert!(!filled.fits(group), "{}", group.name);
        }
    }

    #[test]
    fn a_byte_counts_as_written_if_it_is_the_poison_of_one_buffer_only() {
        let group = &v1_3_0::GROUP;
        for poison in POISON {
            let mut filled = filled(group, None);
            put(&mut filled, SEEN - 1, &[poison]);
            assert!(!filled.fits(group));
        }
    }
}
