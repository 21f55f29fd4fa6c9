//! Small surfaces: one that is right, and one for each error of the grammar.

use std::path::PathBuf;

use super::*;

const ERRORS: &str =
    "/// Why.\n#[repr(i32)]\npub enum ErrorKind {\n/// Bad.\n/// @python ValueError\nBad = 1,\n}";
const ENUMS: &str = "/// Colour.\n#[repr(i32)]\npub enum Colour {\n/// Red.\nRed = 1,\n}";
const OPTIONS: &str = "/// How.\n#[derive(Default)]\npub struct OpenOptions {\n/// Size.\n/// @range 1..=9\n/// @unit tokens\npub size: Option<u32>,\n}";
const RECORDS: &str = "/// What.\npub struct Info {\n/// Names.\npub names: Vec<String>,\n}";
const HANDLES: &str = "/// A thing.\n#[derive(Clone)]\npub struct Thing { inner: Arc<u8> }\nimpl Thing {\n\
    /// Opens.\n/// @blocking\npub fn open(path: &Path, options: &OpenOptions) -> Result<Self> { todo() }\n\
    /// Tells.\n/// @constant\npub fn info(&self) -> Info { todo() }\n}";

struct Small {
    errors: String,
    enums: String,
    options: String,
    records: String,
    handles: String,
}

impl Small {
    fn new() -> Self {
        Self {
            errors: ERRORS.into(),
            enums: ENUMS.into(),
            options: OPTIONS.into(),
            records: RECORDS.into(),
            handles: HANDLES.into(),
        }
    }

    fn parse(&self) -> Result<Surface> {
        let source = |name: &str, text: &str| Source::new(PathBuf::from(name), text);
        parse(
            "hash".into(),
            &Files {
                errors: source("errors.rs", &self.errors)?,
                enums: source("enums.rs", &self.enums)?,
                options: vec![source("options/open.rs", &self.options)?],
                records: source("records.rs", &self.records)?,
                handles: vec![source("handles/thing.rs", &self.handles)?],
            },
        )
    }

    /// The error must begin with the place and have the words.
    #[track_caller]
    fn refused(&self, place: &str, words: &str) {
        let error = self
            .parse()
            .expect_err("this surface must be refused")
            .to_string();
        assert!(error.starts_with(place), "{error}");
        assert!(error.contains(words), "{error}");
    }
}

#[track_caller]
fn options(fields: &str, line: usize, words: &str) {
    let mut small = Small::new();
    small.options =
        format!("/// How.\n#[derive(Default)]\npub struct OpenOptions {{\n{fields}\n}}");
    small.refused(&format!("options/open.rs:{line}: "), words);
}

#[track_caller]
fn records(fields: &str, line: usize, words: &str) {
    let mut small = Small::new();
    small.records = format!("/// What.\npub struct Info {{\n{fields}\n}}");
    small.refused(&format!("records.rs:{line}: "), words);
}

/// `method` begins in line 4.
#[track_caller]
fn method(method: &str, line: usize, words: &str) {
    let mut small = Small::new();
    small.handles = format!(
        "/// A thing.\n#[derive(Clone)]\npub struct Thing {{ inner: Arc<u8> }} impl Thing {{\n{method}\n}}"
    );
    small.refused(&format!("handles/thing.rs:{line}: "), words);
}

#[track_caller]
fn enums(text: &str, line: usize, words: &str) {
    let mut small = Small::new();
    small.enums = text.into();
    small.refused(&format!("enums.rs:{line}: "), words);
}

#[test]
fn a_small_surface() {
    let surface = Small::new().parse().unwrap();
    assert_eq!(surface.errors[0].python, "ValueError");
    let size = &surface.options[0].fields[0];
    assert_eq!(size.ty.bare(), &Type::U32);
    assert_eq!(size.unit.as_deref(), Some("tokens"));
    assert_eq!(size.range.as_ref().unwrap().max.as_u64(), Some(9));
    assert_eq!(size.doc, "Size.");
    let thing = &surface.handles[0];
    assert!(thing.shared && thing.methods[0].is_static && thing.methods[0].blocking);
    assert!(thing.methods[1].constant && !thing.methods[1].fallible);
    assert_eq!(thing.methods[1].signature, "fn info(&self) -> Info");
}

#[test]
fn a_record_of_numbers_may_change_in_a_shared_handle() {
    let mut small = Small::new();
    small.records =
        format!("{RECORDS}\n/// How.\npub struct ThingStatus {{\n/// N.\npub n: Option<u32>,\n}}");
    let status = "/// A.\npub fn status(&self) -> ThingStatus { todo() }\n}";
    small.handles = format!("{}{status}", HANDLES.strip_suffix('}').unwrap());
    let surface = small.parse().unwrap();
    let thing = &surface.handles[0];
    // In C the struct has the other name.
    let names: Vec<String> = thing
        .methods
        .iter()
        .map(|method| crate::c::function_name(&thing.name, method))
        .collect();
    assert_eq!(
        names,
        [
            "rkchat_thing_open",
            "rkchat_thing_get_info",
            "rkchat_thing_get_status"
        ]
    );
}

#[test]
fn the_real_surface() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let surface = surface(&root).unwrap();
    assert!(
        surface
            .handles
            .iter()
            .any(|handle| handle.name == "Model" && handle.shared)
    );
}

#[test]
fn types_outside_the_grammar() {
    options(
        "/// A.\npub a: Option<u16>,",
        5,
        "outside the surface's grammar",
    );
    options(
        "/// A.\npub a: std::string::String,",
        5,
        "outside the surface's grammar",
    );
    options(
        "/// A.\npub a: Option<Option<bool>>,",
        5,
        "Option<Option<T>>",
    );
    options(
        "/// A.\n/// @default 1\npub a: Vec<u32>,",
        4,
        "options hold no lists",
    );
    records("/// A.\npub a: Vec<Option<u32>>,", 4, "Vec of this");
    records("/// A.\npub a: Vec<Vec<u32>>,", 3, "list of lists");
    records("/// A.\npub a: Tensor,", 3, "tensors");
    options("/// A.\npub a: Option<Vec<Tensor>>,", 5, "outside");
    options("/// A.\npub a: Tensor,", 4, "no tensors but");
    records("/// A.\npub a: OpenOptions,", 3, "no options");
    records(
        "/// A.\npub a: (u32, u32),",
        4,
        "outside the surface's grammar",
    );
    records(
        "/// A.\npub a: Unknown,",
        4,
        "outside the surface's grammar",
    );
}

#[test]
fn docs_and_markers() {
    options("pub a: Option<bool>,", 4, "needs a doc comment");
    options(
        "/// A.\n/// @colour red\npub a: Option<bool>,",
        5,
        "@colour is no marker",
    );
    options(
        "/// A.\n/// @unit s\n/// More.\npub a: Option<bool>,",
        6,
        "markers come last",
    );
    options(
        "/// A.\n/// @unit s\n/// @unit s\npub a: Option<bool>,",
        6,
        "given twice",
    );
    options(
        "/// A.\n/// @blocking\npub a: Option<bool>,",
        4,
        "@blocking means nothing here",
    );
    options(
        "/// A.\n/// @default\npub a: bool,",
        5,
        "@default needs value",
    );
    options(
        "/// A.\n/// @default maybe\npub a: bool,",
        5,
        "a number, true, false",
    );
    options("/// A.\npub a: bool,", 4, "needs `@default V`");
    options("/// A.\n/// @default 3\npub a: bool,", 4, "does not fit");
    options("/// A.\npub a: Option<u32>,", 4, "needs `@range A..=B`");
    options(
        "/// A.\n/// @range 1..9\npub a: Option<u32>,",
        5,
        "ascending numbers",
    );
    options(
        "/// A.\n/// @range 9..=1\npub a: Option<u32>,",
        5,
        "ascending numbers",
    );
    options(
        "/// A.\n/// @range 0..=1.5\npub a: Option<u32>,",
        4,
        "integer ends",
    );
    options(
        "/// A.\n/// @range 0..=1\npub a: Option<bool>,",
        4,
        "@range is for numbers",
    );
    options(
        "/// A.\n/// @range 1..=2\n/// @default 3\npub a: Option<u32>,",
        4,
        "does not fit",
    );
    method(
        "/// A.\n/// @blocking yes\npub fn a(&self) {}",
        5,
        "@blocking takes no value",
    );
}

#[test]
fn fields() {
    options("/// A.\na: Option<bool>,", 4, "field a is private");
    options("/// A.\npub class: Option<bool>,", 4, "keyword");
    records("", 2, "at least one field");
    let mut small = Small::new();
    small.options = "/// How.\npub struct OpenOptions {\n/// A.\npub a: Option<bool>,\n}".into();
    small.refused("options/open.rs:2: ", "need Default");
    small.options =
        "/// How.\n#[derive(Default)]\npub struct Open {\n/// A.\npub a: Option<bool>,\n}".into();
    small.refused("options/open.rs:3: ", "ends in Options");
    small.options = "pub fn a() {}".into();
    small.refused("options/open.rs:1: ", "only structs");
    small.options = "pub struct 5 {}".into();
    small.refused("options/open.rs:1: ", "expected identifier");
}

#[test]
fn enumerations() {
    enums(
        "/// C.\npub enum Colour {\n/// R.\nRed = 1\n}",
        2,
        "#[repr(i32)]",
    );
    enums(
        "/// C.\n#[repr(i32)]\nenum Colour {\n/// R.\nRed = 1\n}",
        3,
        "pub enum",
    );
    enums(
        "/// C.\n#[repr(i32)]\npub enum Colour {\n/// R.\nRed\n}",
        4,
        "number of its own",
    );
    enums(
        "/// C.\n#[repr(i32)]\npub enum Colour {\n/// R.\nRed = 0\n}",
        4,
        "above 0",
    );
    enums(
        "/// C.\n#[repr(i32)]\npub enum Colour {\n/// R.\nRed = 1,\n/// B.\nBlue = 1\n}",
        6,
        "is taken",
    );
    enums(
        "/// C.\n#[repr(i32)]\npub enum Colour {\n/// R.\nRed(u8) = 1\n}",
        4,
        "no data",
    );
    enums(
        "/// C.\n#[repr(i32)]\npub enum Colour {\nRed = 1\n}",
        4,
        "doc comment",
    );
    enums("pub struct Colour;", 1, "only enums");
}

#[test]
fn error_table() {
    let mut small = Small::new();
    small.errors = "/// Why.\n#[repr(i32)]\npub enum ErrorKind {\n/// Bad.\nBad = 1,\n}".into();
    small.refused("errors.rs:4: ", "@python");
    small.errors = "pub struct Error;".into();
    small.refused("errors.rs: ", "no `enum ErrorKind`");
}

#[test]
fn methods() {
    method("pub fn a(&self) {}", 4, "doc comment");
    method(
        "/// A.\npub fn a<T>(&self) {}",
        5,
        "neither generic nor async",
    );
    method(
        "/// A.\npub async fn a(&self) {}",
        5,
        "neither generic nor async",
    );
    method("/// A.\npub fn a(self) {}", 5, "&self");
    method("/// A.\npub fn a(&mut self) {}", 5, "&self");
    method("/// A.\npub fn a() -> Self {}", 5, "returns a Result");
    method("/// A.\npub fn a() -> Result<u32> {}", 5, "Result<Self>");
    method("/// A.\npub fn a(&self, text: String) {}", 5, "borrowed");
    method(
        "/// A.\npub fn a(&self, text: &mut str) {}",
        5,
        "without mut",
    );
    method("/// A.\npub fn a(&self, info: &Info) {}", 5, "&str &Path");
    method(
        "/// A.\npub fn a(&self, all: &[Info]) {}",
        5,
        "has numbers, texts or structs",
    );
    method("/// A.\npub fn a(&self, numbers: Tensor) {}", 5, "borrowed");
    method(
        "/// A.\npub fn a(&self) -> Vec<Tensor> {}",
        5,
        "outside the grammar",
    );
    method("/// A.\npub fn a(&self, delete: bool) {}", 5, "keyword");
    method(
        "/// A.\npub fn a(&self, how: &OpenOptions) {}",
        5,
        "named options",
    );
    method(
        "/// A.\npub fn a(&self, options: &OpenOptions, b: bool) {}",
        5,
        "options come last",
    );
    method(
        "/// A.\npub fn a(&self) -> OpenOptions {}",
        5,
        "never returned",
    );
    method("/// A.\npub fn a(&self) -> Info {}", 5, "needs @constant");
    method(
        "/// A.\npub fn a(&self) -> Result<Result<u32>> {}",
        5,
        "Result<T>",
    );
    method(
        "/// A.\npub fn a(&self) {}\n/// A.\npub fn a(&self) {}",
        7,
        "defined twice",
    );
    method("const A: u32 = 1;", 4, "methods only");
    method("} impl Other {", 4, "no handle");
}

#[test]
fn names_are_unique() {
    let mut small = Small::new();
    small.enums = ENUMS.replace("Colour", "Info");
    small.refused("records.rs:2: ", "Info is defined twice");
}

#[test]
fn numbers_texts_and_lists_of_records() {
    let mut small = Small::new();
    small.options = OPTIONS.replace(
        "}",
        "/// Where.\npub places: Option<Vec<u32>>,\n/// Seen.\npub images: Option<Tensor>,\n}",
    );
    small.handles = HANDLES.replace(
        "/// Tells.",
        "/// Counts.\npub fn count(&self, texts: &[String], seen: &Tensor) -> Result<Tensor> { todo() }\n\
         /// Lists.\npub fn list(&self) -> Vec<Info> { todo() }\n/// Tells.",
    );
    let surface = small.parse().unwrap();
    let methods = &surface.handles[0].methods;
    assert_eq!(methods[1].returns, Type::Tensor);
    assert_eq!(methods[1].params[1].ty, Type::Tensor);
    assert_eq!(*surface.options[0].fields[2].ty.bare(), Type::Tensor);
    assert_eq!(surface.listed_records(), ["Info"]);
    let places = &surface.options[0].fields[1].ty;
    assert!(matches!(places.bare(), Type::List { of } if **of == Type::U32));
}

#[test]
fn names_that_options_have_elsewhere() {
    let mut small = Small::new();
    small.options = OPTIONS.replace("/// @unit tokens", "/// @alias len, maxLen");
    let surface = small.parse().unwrap();
    assert_eq!(surface.options[0].fields[0].aliases, ["len", "maxLen"]);
    let twice = "/// A.\n/// @alias b\npub a: Option<bool>,\n/// B.\npub b: Option<bool>,";
    options(twice, 3, "stands for two options");
    options(
        "/// A.\n/// @alias b c\npub a: Option<bool>,",
        5,
        "names are expected",
    );
    records(
        "/// A.\n/// @alias b\npub a: bool,",
        3,
        "@alias means nothing here",
    );
}

#[test]
fn what_only_c_has() {
    let mut small = Small::new();
    small.options = format!(
        "{OPTIONS}\n/// Item.\n/// @c_only objects\n#[derive(Default)]\npub struct Item {{\n/// A.\npub a: Option<bool>,\n}}"
    );
    let with = |marker: &str| {
        HANDLES.replace(
            "/// Tells.",
            &format!("/// Adds.\n{marker}pub fn add(&self, items: &[Item]) {{}}\n/// Tells."),
        )
    };
    small.handles = with("/// @c_only objects\n");
    let surface = small.parse().unwrap();
    assert_eq!(
        (surface.options.len(), surface.handles[0].methods.len()),
        (2, 3)
    );
    let beyond = surface.beyond_c();
    assert_eq!(
        (beyond.options.len(), beyond.handles[0].methods.len()),
        (1, 2)
    );
    small.handles = with("");
    small.refused("handles/thing.rs:", "@c_only and the reason");
}

#[test]
fn properties() {
    method(
        "/// A.\n/// @property\npub fn a(&self, b: u32) {}",
        6,
        "only &self",
    );
    let mut small = Small::new();
    small.handles = HANDLES.replace("/// @constant\n", "/// @constant\n/// @property\n");
    assert!(small.parse().unwrap().handles[0].methods[1].property);
}
