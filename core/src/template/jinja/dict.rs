//! Python's `dict`: pairs in the order of their insertion.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::compare::{equal, hash};
use super::fault::Result;
use super::json::Given;
use super::meter::Meter;
use super::text::Text;
use super::value::{Value, depth_above};

/// From this size on, keys are found by their hash.
const INDEXED: usize = 12;

/// A dictionary. Templates never change one; it is built once.
pub(crate) struct Dict<'a> {
    /// What it is made of when its pairs are first needed.
    given: Option<Given<'a>>,
    pairs: OnceCell<Pairs<'a>>,
    depth: u32,
}

#[derive(Default)]
struct Pairs<'a> {
    list: Vec<(Value<'a>, Value<'a>)>,
    /// Places by hash, where there are many.
    index: Option<HashMap<u64, Vec<usize>>>,
}

impl<'a> Dict<'a> {
    /// An object of JSON, which is so many levels deep at most.
    pub fn given(given: Given<'a>, depth: u32) -> Rc<Self> {
        Rc::new(Self {
            given: Some(given),
            pairs: OnceCell::new(),
            depth,
        })
    }

    /// Takes pairs whose keys are strings and differ from each other, as those of JSON are.
    pub fn of_distinct(pairs: Vec<(Value<'a>, Value<'a>)>, meter: &Meter) -> Result<Rc<Self>> {
        meter.bytes(64 + 2 * size_of::<Value>() * pairs.len())?;
        Ok(Rc::new(Self {
            given: None,
            depth: depth_above(pairs.iter().map(|(_, value)| value))?,
            pairs: Pairs::of_distinct(pairs).into(),
        }))
    }

    /// Takes pairs of which later ones replace earlier ones with the same key.
    pub fn of_pairs(
        given: impl IntoIterator<Item = (Value<'a>, Value<'a>)>,
        meter: &Meter,
    ) -> Result<Rc<Self>> {
        let mut pairs = Pairs::default();
        for (key, value) in given {
            pairs.insert(key, value, meter)?;
        }
        Ok(Rc::new(Self {
            given: None,
            depth: depth_above(pairs.list.iter().flat_map(|(key, value)| [key, value]))?,
            pairs: pairs.into(),
        }))
    }

    /// The JSON that it is, where it is some and all from outside.
    pub fn as_given(&self) -> Option<Given<'a>> {
        self.given.filter(Given::is_all_untrusted)
    }

    fn known(&self) -> &Pairs<'a> {
        self.pairs.get_or_init(|| {
            let given = self.given.map(|given| given.pairs(self.depth));
            Pairs::of_distinct(given.unwrap_or_default())
        })
    }

    /// The value of any key; an unhashable one is an error.
    pub fn get(&self, key: &Value<'a>, meter: &Meter) -> Result<Option<Value<'a>>> {
        if let Value::Str(name) = key {
            return Ok(self.get_str(name.as_str()));
        }
        let pairs = self.known();
        let place = pairs.place(key, meter)?;
        Ok(place.map(|place| pairs.list[place].1.clone()))
    }

    /// The value of a string key.
    pub fn get_str(&self, name: &str) -> Option<Value<'a>> {
        if let Some(given) = &self.given {
            let value = given.get(name)?;
            // A container is converted once, as it is the same whenever it is looked at.
            if !value.is_array() && !value.is_object() {
                return Some(given.convert(value, 0));
            }
        }
        let pairs = self.known();
        let place = pairs.place_of(name);
        place.map(|place| pairs.list[place].1.clone())
    }

    pub fn len(&self) -> usize {
        match &self.given {
            Some(given) => given.map.len(),
            None => self.known().list.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn pairs(&self) -> &[(Value<'a>, Value<'a>)] {
        &self.known().list
    }

    pub fn depth(&self) -> u32 {
        self.depth
    }
}

impl<'a> Pairs<'a> {
    fn of_distinct(list: Vec<(Value<'a>, Value<'a>)>) -> Self {
        let mut pairs = Self { list, index: None };
        if pairs.list.len() >= INDEXED {
            pairs.build_index();
        }
        pairs
    }

    fn insert(&mut self, key: Value<'a>, value: Value<'a>, meter: &Meter) -> Result<()> {
        match self.place(&key, meter)? {
            Some(place) => self.list[place].1 = value,
            None => {
                meter.bytes(3 * size_of::<Value>())?;
                if let Some(index) = &mut self.index {
                    index.entry(hash(&key)?).or_default().push(self.list.len());
                }
                self.list.push((key, value));
                if self.list.len() == INDEXED {
                    self.build_index();
                }
            }
        }
        Ok(())
    }

    fn build_index(&mut self) {
        let mut index: HashMap<u64, Vec<usize>> = HashMap::with_capacity(self.list.len());
        for (place, (key, _)) in self.list.iter().enumerate() {
            // Keys are hashable, or they would not be here.
            if let Ok(code) = hash(key) {
                index.entry(code).or_default().push(place);
            }
        }
        self.index = Some(index);
    }

    fn place(&self, key: &Value<'a>, meter: &Meter) -> Result<Option<usize>> {
        if let Value::Str(name) = key {
            return Ok(self.place_of(name.as_str()));
        }
        // An unhashable key is an error even where there is nothing to find.
        let code = hash(key)?;
        let same = |place: &usize| equal(&self.list[*place].0, key, meter);
        if let Some(index) = &self.index {
            for place in index.get(&code).into_iter().flatten() {
                if same(place)? {
                    return Ok(Some(*place));
                }
            }
            return Ok(None);
        }
        for place in 0..self.list.len() {
            if same(&place)? {
                return Ok(Some(place));
            }
        }
        Ok(None)
    }

    fn place_of(&self, name: &str) -> Option<usize> {
        let is =
            |(key, _): &(Value, Value)| matches!(key, Value::Str(text) if text.as_str() == name);
        match &self.index {
            Some(index) => {
                let code = hash(&Value::Str(Text::trusted(name))).ok()?;
                let places = index.get(&code)?.iter();
                places.copied().find(|place| is(&self.list[*place]))
            }
            None => self.list.iter().position(is),
        }
    }
}
