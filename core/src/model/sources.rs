//! What is read of a model before anything is made of it: its names, and its card.

use std::path::Path;

use super::card::{self, Card};
use super::evidence::Evidence;
use super::find::Found;
use super::name::{self, Name};
use super::{files, health, hub};
use crate::surface::ErrorKind;

/// The name of a model card.
pub(super) const CARD: &str = "README.md";

/// The names that tell something, the most telling first, each with what it is.
pub(super) struct Names(pub Vec<(String, Name)>);

impl Names {
    pub fn of(found: &Found) -> Self {
        let text = |name: Option<&std::ffi::OsStr>| {
            name.map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default()
        };
        let mut names = vec![(
            format!("the file's name {}", text(found.weights.file_name())),
            name::read(&text(found.weights.file_stem())),
        )];
        let folder = text(found.weights.parent().and_then(Path::file_name));
        if let Some(id) = hub::repository(&found.weights) {
            let name = id.rsplit('/').next().unwrap_or(&id);
            names.push((format!("the repository's name {id}"), name::read(name)));
        }
        let read = name::read(&folder);
        names.push((format!("the folder's name {folder}"), read));
        Self(names)
    }

    /// The evidence of names, the card's title, and the card.
    pub fn with<T: ToString>(
        &self,
        card: &Card,
        of_name: impl Fn(&Name) -> &Vec<T>,
        of_card: &[T],
    ) -> Evidence {
        let mut evidence = Evidence::default();
        for (source, name) in &self.0 {
            evidence.add(of_name(name), source);
        }
        evidence.add(of_name(&card.title), &format!("{CARD}'s title"));
        evidence.add(of_card, CARD);
        evidence
    }
}

/// A card that is not there, or cannot be read, tells nothing.
pub(super) fn read_card(folder: &Path) -> Card {
    const MOST: u64 = 256 << 10;
    match files::head(&folder.join(CARD), MOST, ErrorKind::InvalidModel) {
        Ok(bytes) if health::stand_in(&bytes).is_none() => {
            card::read(&String::from_utf8_lossy(&bytes))
        }
        _ => Card::default(),
    }
}
