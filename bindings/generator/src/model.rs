//! The surface as data: what every backend renders from.
//!
//! Everything serializes, so templates read these fields directly and `include/surface.lock` holds
//! them. Order is that of the source.

use serde::Serialize;

/// The whole public API.
#[derive(Debug, Clone, Serialize)]
pub struct Surface {
    /// Fingerprint of the files it was read from; generated code asserts it.
    pub hash: String,
    /// The error table.
    pub errors: Vec<ErrorKind>,
    pub enums: Vec<Enum>,
    pub options: Vec<Struct>,
    pub records: Vec<Struct>,
    pub handles: Vec<Handle>,
}

/// One row of the error table.
#[derive(Debug, Clone, Serialize)]
pub struct ErrorKind {
    pub name: String,
    /// The C status.
    pub number: i32,
    /// The built-in exception that Python's class also derives from.
    pub python: String,
    pub doc: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Enum {
    pub name: String,
    pub doc: String,
    pub variants: Vec<Variant>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Variant {
    pub name: String,
    pub number: i32,
    pub doc: String,
}

/// An options struct (input) or a record (output).
#[derive(Debug, Clone, Serialize)]
pub struct Struct {
    pub name: String,
    pub doc: String,
    /// `@c_only`: the reason why Python and Node have none.
    pub c_only: Option<String>,
    pub fields: Vec<Field>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Field {
    pub name: String,
    #[serde(rename = "type")]
    pub ty: Type,
    /// Paragraphs of Markdown, without the markers.
    pub doc: String,
    /// `@default`. Always there on an option that is not `Option`; on one that is, what unset means.
    pub default: Option<serde_json::Value>,
    /// `@range`, both ends included. Always there on an option that is a number.
    pub range: Option<Range>,
    /// `@unit`.
    pub unit: Option<String>,
    /// `@since`.
    pub since: Option<String>,
    /// `@alias`: what other libraries call the option. Errors about such names tell ours.
    pub aliases: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Range {
    pub min: serde_json::Number,
    pub max: serde_json::Number,
}

#[derive(Debug, Clone, Serialize)]
pub struct Handle {
    pub name: String,
    pub doc: String,
    /// Whether clones of it share one thing (`derive(Clone)`). The others have one owner.
    pub shared: bool,
    pub methods: Vec<Method>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Method {
    pub name: String,
    pub doc: String,
    /// Without `&self`: it belongs to the class, and makes a handle where it returns `Self`.
    pub is_static: bool,
    /// Without `self`. Empty for a hand-written method: its signature is outside the grammar.
    pub params: Vec<Param>,
    /// What it gives, without the `Result`; the handle itself for `Self`. `Unit` for a
    /// hand-written method.
    pub returns: Type,
    /// Whether it returns a `Result`.
    pub fallible: bool,
    /// `@blocking`: may take longer than a millisecond.
    pub blocking: bool,
    /// `@constant`: answers the same for the handle's life.
    pub constant: bool,
    /// `@property`: Python has a property, Node a getter.
    pub property: bool,
    /// `@handwritten`: the reason why no backend generates it.
    pub handwritten: Option<String>,
    /// `@c_only`: the reason why Python and Node have none.
    pub c_only: Option<String>,
    /// `@since`.
    pub since: Option<String>,
    /// The Rust signature, for the reference.
    pub signature: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Param {
    pub name: String,
    #[serde(rename = "type")]
    pub ty: Type,
}

/// The closed grammar. In parameters text, paths, JSON, lists, options and handles are borrowed, in
/// fields and results they are owned; the model does not tell these apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Type {
    Unit,
    Bool,
    I32,
    U32,
    I64,
    U64,
    F32,
    F64,
    String,
    Path,
    Duration,
    Json,
    Tensor,
    List { of: Box<Type> },
    Option { of: Box<Type> },
    Enum { name: String },
    Record { name: String },
    Options { name: String },
    Handle { name: String },
}

impl Type {
    pub fn is_integer(&self) -> bool {
        matches!(self, Type::I32 | Type::U32 | Type::I64 | Type::U64)
    }

    pub fn is_float(&self) -> bool {
        matches!(self, Type::F32 | Type::F64)
    }

    /// What is inside an `Option`, or the type itself.
    pub fn bare(&self) -> &Type {
        match self {
            Type::Option { of } => of,
            other => other,
        }
    }

    pub fn is_option(&self) -> bool {
        matches!(self, Type::Option { .. })
    }
}

impl Surface {
    /// The surface of the languages that are not C.
    pub fn beyond_c(&self) -> Self {
        let mut surface = self.clone();
        surface.options.retain(|item| item.c_only.is_none());
        for handle in &mut surface.handles {
            handle.methods.retain(|method| method.c_only.is_none());
        }
        surface
    }

    /// The records that methods give lists of, in their order.
    pub fn listed_records(&self) -> Vec<&str> {
        let results = self.handles.iter().flat_map(|handle| &handle.methods);
        let listed: Vec<_> = results.map(|method| &method.returns).collect();
        let is_listed = |name: &str| {
            listed.iter().any(|ty| {
                matches!(ty, Type::List { of }
                    if matches!(&**of, Type::Record { name: of } if of == name))
            })
        };
        let names = self.records.iter().map(|record| record.name.as_str());
        names.filter(|name| is_listed(name)).collect()
    }

    /// The options struct of that name; the parser has checked that names resolve.
    pub fn options(&self, name: &str) -> &Struct {
        self.options
            .iter()
            .find(|options| options.name == name)
            .expect("the parser resolved the name")
    }
}
