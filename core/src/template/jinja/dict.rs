//! Python's `dict`: pairs in the order of their insertion.

use std::collections::HashMap;
use std::rc::Rc;

use super::compare::{equal, hash};
use super::fault::Result;
use super::meter::Meter;
use super::text::Text;
use super::value::{Value, depth_above};

/// From this size on, keys are found by their hash.
const INDEXED: usize = 12;

/// A dictionary. Templates never change one; it is built once.
pub(crate) struct Dict<'a> {
    pairs: Vec<(Value<'a>, Value<'a>)>,
    /// Places by hash, where there are many.
    index: Option<HashMap<u64, Vec<usize>>>,
    depth: u32,
}

impl<'a> Dict<'a> {
    /// Takes pairs whose keys are strings and differ from each other, as those of JSON are.
    pub fn of_distinct(pairs: Vec<(Value<'a>, Value<'a>)>, meter: &Meter) -> Result<Rc<Self>> {
        let mut dict = Self {
            depth: depth_above(pairs.iter().map(|(_, value)| value))?,
            pairs,
            index: None,
        };
        meter.bytes(2 * size_of::<Value>() * dict.pairs.len())?;
        if dict.pairs.len() >= INDEXED {
            dict.build_index()?;
        }
        Ok(Rc::new(dict))
    }

    /// Takes pairs of which later ones replace earlier ones with the same key.
    pub fn of_pairs(
        pairs: impl IntoIterator<Item = (Value<'a>, Value<'a>)>,
        meter: &Meter,
    ) -> Result<Rc<Self>> {
        let mut dict = Self {
            pairs: Vec::new(),
            index: None,
            depth: 0,
        };
        for (key, value) in pairs {
            dict.insert(key, value, meter)?;
        }
        dict.depth = depth_above(dict.pairs.iter().flat_map(|(key, value)| [key, value]))?;
        Ok(Rc::new(dict))
    }

    fn insert(&mut self, key: Value<'a>, value: Value<'a>, meter: &Meter) -> Result<()> {
        match self.place(&key, meter)? {
            Some(place) => self.pairs[place].1 = value,
            None => {
                meter.bytes(2 * size_of::<Value>())?;
                if let Some(index) = &mut self.index {
                    index.entry(hash(&key)?).or_default().push(self.pairs.len());
                }
                self.pairs.push((key, value));
                if self.pairs.len() == INDEXED {
                    self.build_index()?;
                }
            }
        }
        Ok(())
    }

    fn build_index(&mut self) -> Result<()> {
        let mut index: HashMap<u64, Vec<usize>> = HashMap::with_capacity(self.pairs.len());
        for (place, (key, _)) in self.pairs.iter().enumerate() {
            index.entry(hash(key)?).or_default().push(place);
        }
        self.index = Some(index);
        Ok(())
    }

    fn place(&self, key: &Value<'a>, meter: &Meter) -> Result<Option<usize>> {
        if let Value::Str(name) = key {
            return Ok(self.place_of(name.as_str()));
        }
        // An unhashable key is an error even where there is nothing to find.
        let code = hash(key)?;
        let same = |place: &usize| equal(&self.pairs[*place].0, key, meter);
        if let Some(index) = &self.index {
            for place in index.get(&code).into_iter().flatten() {
                if same(place)? {
                    return Ok(Some(*place));
                }
            }
            return Ok(None);
        }
        for place in 0..self.pairs.len() {
            if same(&place)? {
                return Ok(Some(place));
            }
        }
        Ok(None)
    }

    fn place_of(&self, name: &str) -> Option<usize> {
        let is = |place: &usize| {
            matches!(&self.pairs[*place].0, Value::Str(text) if text.as_str() == name)
        };
        match &self.index {
            Some(index) => {
                let code = hash(&Value::Str(Text::trusted(name))).ok()?;
                index.get(&code)?.iter().copied().find(|place| is(place))
            }
            None => (0..self.pairs.len()).find(is),
        }
    }

    /// The value of any key; an unhashable one is an error.
    pub fn get(&self, key: &Value<'a>, meter: &Meter) -> Result<Option<&Value<'a>>> {
        Ok(self.place(key, meter)?.map(|place| &self.pairs[place].1))
    }

    /// The value of a string key.
    pub fn get_str(&self, name: &str) -> Option<&Value<'a>> {
        self.place_of(name).map(|place| &self.pairs[place].1)
    }

    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    pub fn pairs(&self) -> &[(Value<'a>, Value<'a>)] {
        &self.pairs
    }

    pub fn depth(&self) -> u32 {
        self.depth
    }
}
