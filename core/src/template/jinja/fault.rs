//! What goes wrong while a template is compiled or rendered.

/// Which kind of failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The source is not valid Jinja.
    Syntax,
    /// The template called `raise_exception`; the message is its own text.
    Raised,
    /// A limit stopped the template.
    Limit,
    /// Anything else that Python or jinja2 would raise.
    Runtime,
}

/// One failure with the line of the template it happened in; 0 where that is not known.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub kind: Kind,
    pub message: String,
    pub line: usize,
}

/// Faults are rare and large, results are many.
pub(crate) type Result<T> = std::result::Result<T, Box<Fault>>;

impl Fault {
    fn new(kind: Kind, message: impl Into<String>) -> Box<Self> {
        Box::new(Self {
            kind,
            message: message.into(),
            line: 0,
        })
    }

    pub fn syntax(message: impl Into<String>, line: usize) -> Box<Self> {
        Self::new(Kind::Syntax, message).at(line)
    }

    pub fn raised(message: impl Into<String>) -> Box<Self> {
        Self::new(Kind::Raised, message)
    }

    pub fn limit(message: impl Into<String>) -> Box<Self> {
        Self::new(Kind::Limit, message)
    }

    pub fn runtime(message: impl Into<String>) -> Box<Self> {
        Self::new(Kind::Runtime, message)
    }

    /// Sets the line, unless one nearer to the cause is set already.
    pub fn at(mut self: Box<Self>, line: usize) -> Box<Self> {
        if self.line == 0 {
            self.line = line;
        }
        self
    }
}

/// A runtime fault as the result of a function.
pub(crate) fn fail<T>(message: impl Into<String>) -> Result<T> {
    Err(Fault::runtime(message))
}
