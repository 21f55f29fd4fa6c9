//! `attribute="a.b.0"` of filters.

use super::super::fault::Result;
use super::super::text::Text;
use super::super::unicode::is_digit;
use super::super::value::Value;
use super::super::vm::Vm;

/// Keys to follow one after the other, and what to take where one leads nowhere.
#[derive(Clone)]
pub(super) struct Path<'a> {
    keys: Vec<Value<'a>>,
    otherwise: Option<Value<'a>>,
    /// Strings count as equal whatever their case.
    pub fold: bool,
}

impl<'a> Path<'a> {
    pub fn new(attribute: Option<Value<'a>>, otherwise: Option<Value<'a>>, fold: bool) -> Self {
        let keys = match attribute {
            None | Some(Value::None) => Vec::new(),
            Some(Value::Str(path)) => keys_of(&path),
            Some(other) => vec![other],
        };
        Self {
            keys,
            otherwise: otherwise.filter(|value| !matches!(value, Value::None)),
            fold,
        }
    }

    /// Several paths between commas.
    pub fn several(attribute: Option<Value<'a>>, fold: bool) -> Vec<Self> {
        match attribute {
            Some(Value::Str(paths)) => {
                let paths = paths.as_str().split(',').map(|path| paths.part(path));
                paths.map(|path| Self::new(Some(Value::Str(path)), None, fold)).collect()
            }
            other => vec![Self::new(other, None, fold)],
        }
    }

    pub fn follow(&self, vm: &mut Vm<'a>, value: &Value<'a>) -> Result<Value<'a>> {
        let mut value = value.clone();
        for key in &self.keys {
            vm.meter.step()?;
            value = vm.get_item(&value, key.clone())?;
            if let (true, Some(otherwise)) = (value.is_undefined(), &self.otherwise) {
                value = otherwise.clone();
            }
        }
        match &value {
            Value::Str(text) if self.fold => vm.change_case(text, "lower").map(Value::Str),
            _ => Ok(value),
        }
    }
}

fn keys_of<'a>(path: &Text<'a>) -> Vec<Value<'a>> {
    let keys = path.as_str().split('.').map(|key| {
        let index = match !key.is_empty() && key.chars().all(is_digit) {
            true => super::super::numbers::parse_int(key, 10),
            false => None,
        };
        match index {
            Some(index) => Value::Int(index),
            None => Value::Str(path.part(key)),
        }
    });
    keys.collect()
}
