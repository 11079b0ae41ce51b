//! One field of a shape: its name, type and need, told in the words of the field tables of `entities.md`.

use super::Type;

/// When a field may or must be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// It may not be set (read-only, or fixed).
    Never,
    /// It may be set.
    Free,
    /// It must be set.
    Must,
}

/// What an object in a field, or an argument, is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// A reference to a stored entity: only its identity is read.
    Reference,
    /// A part that comes and goes with its whole: a Pass, a Device, an element.
    Whole,
    /// Fields without identity that serve as defaults.
    Template,
    /// An entity to be made.
    New,
    /// An entity to be made, or by its internalId one to be added to (M23.16).
    NewOrMore,
    /// An entity to be changed: its identity and the changed fields.
    Change,
    /// A sample that stored entities are compared with.
    Sample,
}

/// One field. Made by the builder functions below, which `const` and `static` take.
#[derive(Clone, Copy)]
pub struct Field {
    /// Its name on the wire.
    pub name: &'static str,
    /// What it takes.
    pub ty: Type,
    /// A sentence for the documents.
    pub doc: &'static str,
    /// Whether it is repeated.
    pub many: bool,
    /// Most items of a repeated field.
    pub items_max: usize,
    /// On create.
    pub create: Need,
    /// On change.
    pub change: Need,
    /// What an object in it is.
    pub part: Part,
    /// Kinds that this place takes of an entity that has several (type words of Org and List).
    pub kinds: &'static [&'static str],
    /// Whether an identity without its scope (owner, campaign, parent) is completed from the call.
    pub scope_defaults: bool,
    /// Its default, for the documents.
    pub default: &'static str,
    /// Whether xsi:type is not looked at (showList).
    pub any_type: bool,
}

impl Field {
    /// A field that nobody may set.
    pub const fn new(name: &'static str, ty: Type, doc: &'static str) -> Self {
        Self {
            name,
            ty,
            doc,
            many: false,
            items_max: usize::MAX,
            create: Need::Never,
            change: Need::Never,
            part: Part::Reference,
            kinds: &[],
            scope_defaults: false,
            default: "",
            any_type: false,
        }
    }

    /// `c`: may be set on create.
    pub const fn c(mut self) -> Self {
        self.create = Need::Free;
        self
    }

    /// `c!`: must be set on create.
    pub const fn must(mut self) -> Self {
        self.create = Need::Must;
        self
    }

    /// `g`: may be set on change.
    pub const fn g(mut self) -> Self {
        self.change = Need::Free;
        self
    }

    /// `cg`.
    pub const fn cg(self) -> Self {
        self.c().g()
    }

    /// An argument that must be given.
    pub const fn required(mut self) -> Self {
        self.create = Need::Must;
        self.change = Need::Must;
        self
    }

    /// Repeated, at most so often.
    pub const fn many(mut self, items_max: usize) -> Self {
        self.many = true;
        self.items_max = items_max;
        self
    }

    /// The objects in it are parts of the whole.
    pub const fn whole(mut self) -> Self {
        self.part = Part::Whole;
        self
    }

    /// The object in it holds defaults and has no identity.
    pub const fn template(mut self) -> Self {
        self.part = Part::Template;
        self
    }

    /// An entity to be made.
    pub const fn made(mut self) -> Self {
        self.part = Part::New;
        self
    }

    /// An entity to be made, or by its internalId one to be added to.
    pub const fn made_or_more(mut self) -> Self {
        self.part = Part::NewOrMore;
        self
    }

    /// An entity to be changed.
    pub const fn changed(mut self) -> Self {
        self.part = Part::Change;
        self
    }

    /// A sample.
    pub const fn sample(mut self) -> Self {
        self.part = Part::Sample;
        self
    }

    /// The kinds this place takes.
    pub const fn kinds(mut self, kinds: &'static [&'static str]) -> Self {
        self.kinds = kinds;
        self
    }

    /// A missing owner or campaign is completed from the call.
    pub const fn scoped(mut self) -> Self {
        self.scope_defaults = true;
        self
    }

    /// What it is when it is not given.
    pub const fn or(mut self, default: &'static str) -> Self {
        self.default = default;
        self
    }

    /// xsi:type is not looked at.
    pub const fn any_type(mut self) -> Self {
        self.any_type = true;
        self
    }
}
