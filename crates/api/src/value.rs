//! What is answered: values in the wire order of a shape. A handler builds them; a door writes them.

use crate::fault::Code;
use crate::shape::{Field, Shape, Type};
use carillon_model::{ChannelType, Moment, Severity};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A value on its way out.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Text.
    Text(Cow<'static, str>),
    /// A whole number.
    Integer(i64),
    /// A number.
    Double(f64),
    /// true or false.
    Boolean(bool),
    /// Its number in SOAP, its word in JSON.
    Channel(ChannelType),
    /// An object.
    Object(Object),
    /// A repeated field.
    Many(Vec<Value>),
    /// Names with values, sorted.
    Attributes(BTreeMap<String, String>),
}

/// An object, its fields in the order of its shape.
#[derive(Clone)]
pub struct Object {
    /// Its shape.
    pub shape: &'static Shape,
    fields: Vec<(u16, Value)>,
}

impl PartialEq for Object {
    fn eq(&self, other: &Self) -> bool {
        self.shape.is(other.shape) && self.fields == other.fields
    }
}

impl std::fmt::Debug for Object {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut map = formatter.debug_map();
        for (field, value) in self.fields() {
            map.entry(&field.name, value);
        }
        map.finish()
    }
}

impl Object {
    /// An object without fields.
    pub fn new(shape: &'static Shape) -> Self {
        Self {
            shape,
            fields: Vec::with_capacity(shape.len().min(16)),
        }
    }

    /// Sets a field; None leaves it out.
    #[must_use]
    pub fn set(mut self, name: &str, value: impl IntoValue) -> Self {
        self.put(name, value);
        self
    }

    /// As [`Object::set`], in place.
    pub fn put(&mut self, name: &str, value: impl IntoValue) {
        let Some(value) = value.into_value() else {
            return;
        };
        let index = self
            .shape
            .index_of(name)
            .unwrap_or_else(|| panic!("the shape {} declares {name}", self.shape.name))
            as u16;
        let at = self.fields.partition_point(|(other, _)| *other < index);
        self.fields.insert(at, (index, value));
    }

    /// Sets an attribute; None leaves it out.
    pub fn put_attribute(&mut self, name: &str, value: Option<impl Into<String>>) {
        let Some(value) = value else { return };
        let index = (self.shape.len() - 1) as u16;
        if let Some((last, Value::Attributes(attributes))) = self.fields.last_mut()
            && *last == index
        {
            attributes.insert(name.to_owned(), value.into());
            return;
        }
        self.fields.push((
            index,
            Value::Attributes(BTreeMap::from([(name.to_owned(), value.into())])),
        ));
    }

    /// As [`Object::put_attribute`].
    #[must_use]
    pub fn with_attribute(mut self, name: &str, value: Option<impl Into<String>>) -> Self {
        self.put_attribute(name, value);
        self
    }

    /// Adds free attributes.
    #[must_use]
    pub fn with_attributes<'a>(
        mut self,
        attributes: impl IntoIterator<Item = (&'a String, &'a String)>,
    ) -> Self {
        for (name, value) in attributes {
            self.put_attribute(name, Some(value.clone()));
        }
        self
    }

    /// Fields that are set, in wire order.
    pub fn fields(&self) -> impl Iterator<Item = (&'static Field, &Value)> {
        self.fields.iter().map(|(index, value)| {
            let field = self
                .shape
                .field(usize::from(*index))
                .expect("set by the shape's own index");
            (field, value)
        })
    }

    /// The value of a field.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.fields()
            .find(|(field, _)| field.name == name)
            .map(|(_, value)| value)
    }

    /// The internalId, when it has one.
    pub fn internal_id(&self) -> Option<&str> {
        match self.get("internalId") {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// Whether the JSON door writes a field as a list.
    pub fn is_list(field: &Field) -> bool {
        field.many && !matches!(field.ty, Type::Attributes)
    }
}

/// What can stand in a field; None and empty lists leave it out.
pub trait IntoValue {
    /// The value.
    fn into_value(self) -> Option<Value>;
}

impl IntoValue for Value {
    fn into_value(self) -> Option<Value> {
        match &self {
            Value::Many(items) if items.is_empty() => None,
            Value::Attributes(attributes) if attributes.is_empty() => None,
            _ => Some(self),
        }
    }
}

impl IntoValue for &'static str {
    fn into_value(self) -> Option<Value> {
        Some(Value::Text(Cow::Borrowed(self)))
    }
}

impl IntoValue for String {
    fn into_value(self) -> Option<Value> {
        Some(Value::Text(Cow::Owned(self)))
    }
}

impl IntoValue for &String {
    fn into_value(self) -> Option<Value> {
        Some(Value::Text(Cow::Owned(self.clone())))
    }
}

impl IntoValue for bool {
    fn into_value(self) -> Option<Value> {
        Some(Value::Boolean(self))
    }
}

impl IntoValue for f64 {
    fn into_value(self) -> Option<Value> {
        Some(Value::Double(self))
    }
}

macro_rules! whole_numbers {
    ($($type:ty),+) => {$(
        impl IntoValue for $type {
            fn into_value(self) -> Option<Value> {
                Some(Value::Integer(i64::from(self)))
            }
        }
    )+};
}
whole_numbers!(i64, u32, u16, u8);

impl IntoValue for Moment {
    fn into_value(self) -> Option<Value> {
        Some(Value::Text(Cow::Owned(self.wire())))
    }
}

impl IntoValue for jiff::civil::Date {
    fn into_value(self) -> Option<Value> {
        Some(Value::Text(Cow::Owned(self.to_string())))
    }
}

impl IntoValue for jiff::civil::Time {
    fn into_value(self) -> Option<Value> {
        Some(Value::Text(Cow::Owned(time_text(self))))
    }
}

impl IntoValue for ChannelType {
    fn into_value(self) -> Option<Value> {
        Some(Value::Channel(self))
    }
}

impl IntoValue for Object {
    fn into_value(self) -> Option<Value> {
        Some(Value::Object(self))
    }
}

impl<T: IntoValue> IntoValue for Option<T> {
    fn into_value(self) -> Option<Value> {
        self.and_then(IntoValue::into_value)
    }
}

impl<T: IntoValue> IntoValue for Vec<T> {
    fn into_value(self) -> Option<Value> {
        Value::Many(self.into_iter().filter_map(IntoValue::into_value).collect()).into_value()
    }
}

impl IntoValue for BTreeMap<String, String> {
    fn into_value(self) -> Option<Value> {
        Value::Attributes(self).into_value()
    }
}

/// An internalId as it is written.
pub fn id(id: impl Into<i64>) -> String {
    id.into().to_string()
}

/// `HH:MM`, or `HH:MM:SS` where seconds are set.
pub fn time_text(time: jiff::civil::Time) -> String {
    if time.second() == 0 {
        format!("{:02}:{:02}", time.hour(), time.minute())
    } else {
        format!(
            "{:02}:{:02}:{:02}",
            time.hour(),
            time.minute(),
            time.second()
        )
    }
}

/// A Double as both doors write it: `120.0`.
pub fn double_text(number: f64) -> String {
    if number == number.trunc() && number.abs() < 1e15 {
        format!("{number:.1}")
    } else {
        format!("{number}")
    }
}

/// A warning beside an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Warning {
    /// Its code.
    pub code: Code,
    /// Its message.
    pub message: String,
    /// Info or Warning.
    pub severity: Severity,
}

/// What a method answers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answer {
    /// The data.
    pub data: Data,
    /// Warnings.
    pub warnings: Vec<Warning>,
    /// Version of the one object answered: its ETag.
    pub version: Option<u64>,
    /// Where the next page begins (JSON door).
    pub next_cursor: Option<String>,
}

/// The data of an answer.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Data {
    /// Nothing.
    #[default]
    None,
    /// One object.
    One(Object),
    /// A list.
    Many(Vec<Object>),
    /// Text.
    Text(String),
    /// Names with values.
    Attributes(BTreeMap<String, String>),
}

impl Answer {
    /// No data.
    pub fn none() -> Self {
        Self::default()
    }

    /// One object.
    pub fn one(object: Object) -> Self {
        Self {
            data: Data::One(object),
            ..Self::default()
        }
    }

    /// One object in a version.
    pub fn versioned(object: Object, version: u64) -> Self {
        Self {
            data: Data::One(object),
            version: Some(version),
            ..Self::default()
        }
    }

    /// A list, and where it goes on.
    pub fn many(objects: Vec<Object>, next_cursor: Option<String>) -> Self {
        Self {
            data: Data::Many(objects),
            next_cursor,
            ..Self::default()
        }
    }

    /// Adds a warning.
    pub fn warn(&mut self, code: Code, severity: Severity, message: impl Into<String>) {
        self.warnings.push(Warning {
            code,
            message: message.into(),
            severity,
        });
    }
}
