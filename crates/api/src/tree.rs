//! The flat raw tree that both doors fill and the checks walk over. It keeps the received body and points into it, so
//! reading allocates little; values are converted where they are used, after the checks found them well-formed.

use crate::shape::{Field, Shape, Type};
use std::borrow::Cow;
use std::fmt::Write as _;

/// No node.
const NONE: u32 = u32::MAX;
/// The node of the arguments.
pub const ROOT: u32 = 0;

#[derive(Clone, Copy)]
enum Text {
    Body(u32, u32),
    Extra(u32, u32),
}

#[derive(Clone, Copy)]
enum Value {
    /// Null by JSON's word: a change clears the field.
    Cleared,
    /// Null: an empty element, nil, or an array item that is null.
    Null,
    /// Something that does not fit at all: not null, and nothing to look into.
    Wrong,
    Scalar(Text),
    Object(&'static Shape),
    /// An attribute: its name and value, either of which may be null.
    Attribute(Option<Text>, Option<Text>),
}

struct Node {
    parent: u32,
    first: u32,
    last: u32,
    next: u32,
    /// Place of the field in the shape of the parent.
    field: u16,
    value: Value,
}

/// What did not fit the shape while the tree was read (row T); told at stage 2, by position.
pub struct Misfit {
    node: u32,
    /// What is wrong.
    pub text: Cow<'static, str>,
}

/// A tree under construction.
#[derive(Default)]
pub struct Builder {
    nodes: Vec<Node>,
    extra: String,
    misfits: Vec<Misfit>,
}

/// A tree with its body.
pub struct Tree {
    nodes: Vec<Node>,
    body: String,
    extra: String,
    misfits: Vec<Misfit>,
}

impl Builder {
    /// A tree whose root holds the arguments of a method.
    pub fn new(arguments: &'static Shape) -> Self {
        let mut builder = Self::default();
        builder.nodes.push(Node {
            parent: NONE,
            first: NONE,
            last: NONE,
            next: NONE,
            field: 0,
            value: Value::Object(arguments),
        });
        builder
    }

    fn push(&mut self, parent: u32, field: usize, value: Value) -> u32 {
        let index = self.nodes.len() as u32;
        self.nodes.push(Node {
            parent,
            first: NONE,
            last: NONE,
            next: NONE,
            field: field as u16,
            value,
        });
        let last = std::mem::replace(&mut self.nodes[parent as usize].last, index);
        if last == NONE {
            self.nodes[parent as usize].first = index;
        } else {
            self.nodes[last as usize].next = index;
        }
        index
    }

    /// Text as a place in the body where it stands there, else kept beside it.
    fn keep(&mut self, body: &str, text: Cow<'_, str>) -> Text {
        if let Cow::Borrowed(borrowed) = text {
            let (start, body_start) = (borrowed.as_ptr() as usize, body.as_ptr() as usize);
            if start >= body_start && start + borrowed.len() <= body_start + body.len() {
                return Text::Body((start - body_start) as u32, borrowed.len() as u32);
            }
        }
        let start = self.extra.len() as u32;
        self.extra.push_str(&text);
        Text::Extra(start, text.len() as u32)
    }

    /// Adds an object.
    pub fn object(&mut self, parent: u32, field: usize, shape: &'static Shape) -> u32 {
        self.push(parent, field, Value::Object(shape))
    }

    /// Adds a scalar.
    pub fn scalar(&mut self, parent: u32, field: usize, body: &str, text: Cow<'_, str>) -> u32 {
        let text = self.keep(body, text);
        self.push(parent, field, Value::Scalar(text))
    }

    /// Adds a null.
    pub fn null(&mut self, parent: u32, field: usize, cleared: bool) -> u32 {
        self.push(
            parent,
            field,
            if cleared { Value::Cleared } else { Value::Null },
        )
    }

    /// Adds something that does not fit, and says why.
    pub fn wrong(&mut self, parent: u32, field: usize, text: impl Into<Cow<'static, str>>) {
        self.push(parent, field, Value::Wrong);
        self.misfit(parent, text);
    }

    /// Adds an attribute.
    pub fn attribute(
        &mut self,
        parent: u32,
        field: usize,
        body: &str,
        name: Option<Cow<'_, str>>,
        value: Option<Cow<'_, str>>,
    ) -> u32 {
        let name = name.map(|name| self.keep(body, name));
        let value = value.map(|value| self.keep(body, value));
        self.push(parent, field, Value::Attribute(name, value))
    }

    /// Notes that something under `node` does not fit the shape.
    pub fn misfit(&mut self, node: u32, text: impl Into<Cow<'static, str>>) {
        self.misfits.push(Misfit {
            node,
            text: text.into(),
        });
    }

    /// Turns an object that turned out to be empty into a null.
    pub fn empty(&mut self, node: u32) {
        self.nodes[node as usize].value = Value::Null;
    }

    /// Whether the node has children.
    pub fn has_children(&self, node: u32) -> bool {
        self.nodes[node as usize].first != NONE
    }

    /// Whether a child for this field is there already.
    pub fn has_field(&self, parent: u32, field: usize) -> bool {
        self.child(parent, field).is_some()
    }

    /// The first child for a field.
    pub fn child(&self, parent: u32, field: usize) -> Option<u32> {
        let mut at = self.nodes[parent as usize].first;
        while at != NONE {
            let node = &self.nodes[at as usize];
            if usize::from(node.field) == field {
                return Some(at);
            }
            at = node.next;
        }
        None
    }

    /// Sets a scalar by a dotted path of field names (parameters of an address), making the objects on the way. What the
    /// body says already may be said again, but not otherwise.
    pub fn set_path(&mut self, path: &str, value: &str, body: &str) {
        let mut node = ROOT;
        let mut names = path.split('.').peekable();
        while let Some(name) = names.next() {
            let Value::Object(shape) = self.nodes[node as usize].value else {
                self.misfit(node, "holds both a value and fields");
                return;
            };
            let Some(index) = shape.index_of(name) else {
                self.misfit(node, format!("has no field {name}"));
                return;
            };
            let field = shape
                .field(index)
                .expect("the index was found in this shape");
            let child = self.child(node, index);
            match (&field.ty, names.peek()) {
                // Ids in an address name one object each.
                (Type::Entity(inner), Some(&"internalId")) if field.many => {
                    let index_of_id = inner.index_of("internalId").unwrap_or_default();
                    for item in value.split(',') {
                        let object = self.object(node, index, inner);
                        self.scalar(object, index_of_id, "", Cow::Borrowed(item));
                    }
                    return;
                }
                (Type::Entity(inner), Some(_)) => {
                    node = child.unwrap_or_else(|| self.object(node, index, inner));
                }
                (Type::OneOf([inner]), Some(_)) => {
                    node = child.unwrap_or_else(|| self.object(node, index, inner));
                }
                (ty, None) if ty.is_scalar() => {
                    if let Some(child) = child.filter(|_| !field.many) {
                        if self.scalar_of(child, body) != Some(value) {
                            self.misfit(node, format!("{name} is given twice"));
                        }
                    } else if field.many {
                        for item in value.split(',') {
                            self.scalar(node, index, "", Cow::Borrowed(item));
                        }
                    } else {
                        self.scalar(node, index, "", Cow::Borrowed(value));
                    }
                    return;
                }
                (Type::Attributes, Some(_)) => {
                    let attribute: Vec<&str> = names.collect();
                    let attribute = Cow::Owned(attribute.join("."));
                    self.attribute(node, index, "", Some(attribute), Some(Cow::Borrowed(value)));
                    return;
                }
                _ => {
                    self.misfit(node, format!("{name} is not set this way"));
                    return;
                }
            }
        }
    }

    fn scalar_of<'s>(&'s self, node: u32, body: &'s str) -> Option<&'s str> {
        let (source, start, length) = match self.nodes[node as usize].value {
            Value::Scalar(Text::Body(start, length)) => (body, start, length),
            Value::Scalar(Text::Extra(start, length)) => (self.extra.as_str(), start, length),
            _ => return None,
        };
        source.get(start as usize..(start + length) as usize)
    }

    /// Notes a member or parameter that the method does not have.
    pub fn unknown(&mut self, node: u32, name: &str) {
        let shown: String = name.chars().take(64).collect();
        self.misfit(node, format!("has no field {shown}"));
    }

    /// The finished tree.
    pub fn finish(self, body: String) -> Tree {
        Tree {
            nodes: self.nodes,
            body,
            extra: self.extra,
            misfits: self.misfits,
        }
    }
}

impl Tree {
    /// The arguments.
    pub fn root(&self) -> View<'_> {
        View {
            tree: self,
            node: ROOT,
        }
    }

    /// What does not fit, under exactly this object.
    pub fn misfits_of(&self, view: View<'_>) -> impl Iterator<Item = &Misfit> {
        self.misfits
            .iter()
            .filter(move |misfit| misfit.node == view.node)
    }

    /// Whether everything fits.
    pub fn fits(&self) -> bool {
        self.misfits.is_empty()
    }

    fn text(&self, text: Text) -> &str {
        match text {
            Text::Body(start, length) => &self.body[start as usize..(start + length) as usize],
            Text::Extra(start, length) => &self.extra[start as usize..(start + length) as usize],
        }
    }
}

/// One node of a tree: an object, a scalar, a null or an attribute.
#[derive(Clone, Copy)]
pub struct View<'t> {
    tree: &'t Tree,
    node: u32,
}

impl<'t> View<'t> {
    fn raw(self) -> &'t Node {
        &self.tree.nodes[self.node as usize]
    }

    /// The tree it stands in.
    pub fn tree(self) -> &'t Tree {
        self.tree
    }

    /// The shape of an object.
    pub fn shape(self) -> Option<&'static Shape> {
        match self.raw().value {
            Value::Object(shape) => Some(shape),
            _ => None,
        }
    }

    /// Whether it is null.
    pub fn is_null(self) -> bool {
        matches!(self.raw().value, Value::Null | Value::Cleared)
    }

    /// Whether it is JSON's null.
    pub fn is_cleared(self) -> bool {
        matches!(self.raw().value, Value::Cleared)
    }

    /// The text of a scalar.
    pub fn scalar(self) -> Option<&'t str> {
        match self.raw().value {
            Value::Scalar(text) => Some(self.tree.text(text)),
            _ => None,
        }
    }

    /// Name and value of an attribute.
    pub fn name_value(self) -> Option<(Option<&'t str>, Option<&'t str>)> {
        match self.raw().value {
            Value::Attribute(name, value) => Some((
                name.map(|name| self.tree.text(name)),
                value.map(|value| self.tree.text(value)),
            )),
            _ => None,
        }
    }

    /// Children in the order received.
    pub fn children(self) -> Children<'t> {
        Children {
            tree: self.tree,
            at: self.raw().first,
        }
    }

    /// Place of its field in the shape above.
    pub fn index(self) -> usize {
        usize::from(self.raw().field)
    }

    /// Its field.
    pub fn field_of(self) -> Option<&'static Field> {
        let parent = View {
            tree: self.tree,
            node: self.raw().parent,
        };
        if self.raw().parent == NONE {
            None
        } else {
            parent.shape()?.field(self.index())
        }
    }

    /// Children for the field at a place.
    pub fn at(self, index: usize) -> impl Iterator<Item = View<'t>> {
        self.children().filter(move |child| child.index() == index)
    }

    /// The place of a field; none in what is no object. Code asks only for fields that the shape declares.
    fn place(self, name: &str) -> usize {
        match self.shape() {
            Some(shape) => shape
                .index_of(name)
                .unwrap_or_else(|| panic!("the shape {} declares {name}", shape.name)),
            None => usize::MAX,
        }
    }

    /// The value of a field, unless it is null.
    pub fn get(self, name: &str) -> Option<View<'t>> {
        let index = self.place(name);
        self.at(index).find(|child| !child.is_null())
    }

    /// Whether JSON asked to clear the field.
    pub fn clears(self, name: &str) -> bool {
        let index = self.place(name);
        self.at(index).any(View::is_cleared)
    }

    /// Whether the field was sent at all, null or not.
    pub fn has(self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The values of a repeated field.
    pub fn items(self, name: &str) -> impl Iterator<Item = View<'t>> + use<'t> {
        let index = self.place(name);
        self.children()
            .filter(move |child| child.index() == index && !child.is_null())
    }

    /// The text of a field.
    pub fn text(self, name: &str) -> Option<&'t str> {
        self.get(name)?.scalar()
    }

    /// The value of an attribute.
    pub fn attribute(self, name: &str) -> Option<&'t str> {
        self.attributes("attributes")
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    }

    /// Names and values of a field of attributes.
    pub fn attributes(self, name: &str) -> impl Iterator<Item = (&'t str, &'t str)> + use<'t> {
        let index = self.place(name);
        self.children()
            .filter(move |child| child.index() == index)
            .filter_map(|child| match child.name_value() {
                Some((Some(name), Some(value))) => Some((name, value)),
                _ => None,
            })
    }

    /// Where it stands.
    pub fn path(self) -> Path {
        let mut steps = Vec::new();
        let mut view = self;
        while view.raw().parent != NONE {
            let parent = View {
                tree: self.tree,
                node: view.raw().parent,
            };
            let field = view.field_of();
            let position = parent
                .at(view.index())
                .position(|child| child.node == view.node);
            let many = field.is_some_and(|field| field.many);
            steps.push(Step {
                argument: (parent.node == ROOT).then_some(view.index()),
                name: field.map_or(Cow::Borrowed("?"), |field| Cow::Borrowed(field.name)),
                item: if many { position } else { None },
            });
            if let Some((Some(name), _)) = view.name_value() {
                let last = steps.last_mut().expect("pushed above");
                last.name = Cow::Owned(format!("{}.{name}", last.name));
                last.item = None;
            }
            view = parent;
        }
        steps.reverse();
        Path(steps)
    }

    /// Where a field of it stands, or would stand.
    pub fn path_to(self, name: &str) -> Path {
        let mut path = self.path();
        let index = self.shape().and_then(|shape| shape.index_of(name));
        path.0.push(Step {
            argument: if self.node == ROOT { index } else { None },
            name: Cow::Owned(name.to_owned()),
            item: None,
        });
        path
    }
}

/// Children of a node.
pub struct Children<'t> {
    tree: &'t Tree,
    at: u32,
}

impl<'t> Iterator for Children<'t> {
    type Item = View<'t>;

    fn next(&mut self) -> Option<View<'t>> {
        if self.at == NONE {
            return None;
        }
        let view = View {
            tree: self.tree,
            node: self.at,
        };
        self.at = view.raw().next;
        Some(view)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    /// Position of an argument.
    argument: Option<usize>,
    name: Cow<'static, str>,
    item: Option<usize>,
}

/// The way from the arguments to a value. SOAP counts arguments (`arg1.passes[0].channel`); JSON names them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Path(Vec<Step>);

impl Path {
    /// An argument by position and name.
    pub fn argument(position: usize, name: &'static str) -> Self {
        Self(vec![Step {
            argument: Some(position),
            name: Cow::Borrowed(name),
            item: None,
        }])
    }

    /// `arg1.passes[0].channel`.
    pub fn soap(&self) -> String {
        self.dotted(0, true)
    }

    /// `campaign.passes[0].channel`, without the steps that the address stands for.
    pub fn json(&self, skipped: usize) -> String {
        self.dotted(skipped, false)
    }

    fn dotted(&self, skipped: usize, count_arguments: bool) -> String {
        let mut text = String::new();
        for step in self.0.iter().skip(skipped) {
            if !text.is_empty() {
                text.push('.');
            }
            match step.argument.filter(|_| count_arguments) {
                Some(position) => {
                    let _ = write!(text, "arg{}", position + 1);
                }
                None => text.push_str(&step.name),
            }
            if let Some(item) = step.item {
                let _ = write!(text, "[{item}]");
            }
        }
        text
    }

    /// `/campaign/passes/0/channel`.
    pub fn pointer(&self, skipped: usize) -> String {
        let mut text = String::new();
        for step in self.0.iter().skip(skipped) {
            for piece in step.name.split('.') {
                text.push('/');
                text.push_str(&piece.replace('~', "~0").replace('/', "~1"));
            }
            if let Some(item) = step.item {
                let _ = write!(text, "/{item}");
            }
        }
        text
    }

    /// How many steps it has.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it names no value.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
