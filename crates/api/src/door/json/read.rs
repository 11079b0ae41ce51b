//! Reading JSON into the raw tree, guided by the shape. serde_json's tokenizer streams; nothing is built but the tree.

use crate::door::body::Unreadable;
use crate::limits::{DEPTH_MAX, ELEMENTS_MAX};
use crate::shape::{Field, Shape, Type};
use crate::tree::{Builder, ROOT};
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

/// Reads a body whose members are the arguments of a method.
pub fn arguments(
    body: &str,
    builder: &mut Builder,
    shape: &'static Shape,
) -> Result<(), Unreadable> {
    read(body, builder, |builder, count| Members {
        builder,
        body,
        node: ROOT,
        shape,
        depth: 1,
        count,
    })
}

/// Reads a body that is one argument: the entity with the changed fields.
pub fn entity(
    body: &str,
    builder: &mut Builder,
    node: u32,
    shape: &'static Shape,
) -> Result<(), Unreadable> {
    read(body, builder, |builder, count| Members {
        builder,
        body,
        node,
        shape,
        depth: 2,
        count,
    })
}

fn read<'b, F>(body: &'b str, builder: &mut Builder, members: F) -> Result<(), Unreadable>
where
    F: for<'x> FnOnce(&'x mut Builder, &'x Cell<usize>) -> Members<'b, 'x>,
{
    let count = Cell::new(0);
    let mut json = serde_json::Deserializer::from_str(body);
    let malformed = |error: serde_json::Error| {
        Unreadable::Malformed(format!("the body is not JSON as it is read here: {error}"))
    };
    members(builder, &count)
        .deserialize(&mut json)
        .map_err(malformed)?;
    json.end().map_err(malformed)
}

/// The members of an object.
struct Members<'b, 'x> {
    builder: &'x mut Builder,
    body: &'b str,
    node: u32,
    shape: &'static Shape,
    depth: usize,
    count: &'x Cell<usize>,
}

fn enter<E: serde::de::Error>(depth: usize, count: &Cell<usize>) -> Result<(), E> {
    count.set(count.get() + 1);
    if depth > DEPTH_MAX {
        return Err(E::custom("it is nested too deep"));
    }
    if count.get() > ELEMENTS_MAX {
        return Err(E::custom("it has too many values"));
    }
    Ok(())
}

impl<'de> DeserializeSeed<'de> for Members<'de, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Members<'de, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        enter::<A::Error>(self.depth, self.count)?;
        while let Some(name) = map.next_key::<Text<'de>>()? {
            let name = name.0;
            if name == "entityType" && self.shape.index_of("entityType").is_none() {
                let kind = map.next_value::<Text<'de>>()?.0;
                if !kind.eq_ignore_ascii_case(self.shape.name) {
                    self.builder.misfit(
                        self.node,
                        format!("entityType must be {}", self.shape.title()),
                    );
                }
                continue;
            }
            let place = self
                .shape
                .index_of(&name)
                .and_then(|index| Some((index, self.shape.field(index)?)));
            let Some((index, field)) = place else {
                self.builder.unknown(self.node, &name);
                map.next_value_seed(Skipped {
                    depth: self.depth + 1,
                    count: self.count,
                })?;
                continue;
            };
            if self.builder.has_field(self.node, index) {
                self.builder
                    .misfit(self.node, format!("{} is given twice", field.name));
            }
            map.next_value_seed(Content {
                builder: self.builder,
                body: self.body,
                parent: self.node,
                index,
                field,
                depth: self.depth + 1,
                count: self.count,
                item: false,
            })?;
        }
        Ok(())
    }
}

/// A value of no place: only its bounds are watched.
#[derive(Clone, Copy)]
struct Skipped<'x> {
    depth: usize,
    count: &'x Cell<usize>,
}

impl<'x> Skipped<'x> {
    fn deeper(self) -> Self {
        Self {
            depth: self.depth + 1,
            ..self
        }
    }
}

impl<'de> DeserializeSeed<'de> for Skipped<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        enter::<D::Error>(self.depth, self.count)?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Skipped<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(self.deeper())?.is_some() {}
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_key::<IgnoredAny>()?.is_some() {
            map.next_value_seed(self.deeper())?;
        }
        Ok(())
    }
}

/// The content of a field.
struct Content<'b, 'x> {
    builder: &'x mut Builder,
    body: &'b str,
    parent: u32,
    index: usize,
    field: &'static Field,
    depth: usize,
    count: &'x Cell<usize>,
    /// It is one item of a list.
    item: bool,
}

impl Content<'_, '_> {
    fn misfit(self, what: &str) {
        let text = format!("{} cannot be {what}", self.field.name);
        self.builder.wrong(self.parent, self.index, text);
    }

    fn text(self, text: Cow<'_, str>) {
        if (self.field.many && !self.item) || !self.field.ty.is_scalar() {
            self.misfit("a single value");
        } else if text.trim().is_empty() {
            self.builder.null(self.parent, self.index, false);
        } else {
            self.builder
                .scalar(self.parent, self.index, self.body, text);
        }
    }
}

impl<'de> DeserializeSeed<'de> for Content<'de, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Content<'de, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        enter::<E>(self.depth, self.count)?;
        self.builder.null(self.parent, self.index, !self.item);
        Ok(())
    }

    fn visit_bool<E: serde::de::Error>(self, truth: bool) -> Result<(), E> {
        enter::<E>(self.depth, self.count)?;
        self.text(Cow::Owned(truth.to_string()));
        Ok(())
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<(), E> {
        enter::<E>(self.depth, self.count)?;
        self.text(Cow::Owned(number.to_string()));
        Ok(())
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<(), E> {
        enter::<E>(self.depth, self.count)?;
        self.text(Cow::Owned(number.to_string()));
        Ok(())
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<(), E> {
        enter::<E>(self.depth, self.count)?;
        self.text(Cow::Owned(number.to_string()));
        Ok(())
    }

    fn visit_borrowed_str<E: serde::de::Error>(self, text: &'de str) -> Result<(), E> {
        enter::<E>(self.depth, self.count)?;
        self.text(Cow::Borrowed(text));
        Ok(())
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        enter::<E>(self.depth, self.count)?;
        self.text(Cow::Owned(text.to_owned()));
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        enter::<A::Error>(self.depth, self.count)?;
        if !self.field.many || self.item || matches!(self.field.ty, Type::Attributes) {
            let skipped = Skipped {
                depth: self.depth + 1,
                count: self.count,
            };
            while items.next_element_seed(skipped)?.is_some() {}
            self.misfit("a list");
            return Ok(());
        }
        let Content {
            builder,
            body,
            parent,
            index,
            field,
            depth,
            count,
            ..
        } = self;
        loop {
            let item = Content {
                builder,
                body,
                parent,
                index,
                field,
                depth: depth + 1,
                count,
                item: true,
            };
            if items.next_element_seed(item)?.is_none() {
                return Ok(());
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        let shape = match self.field.ty {
            _ if self.field.many && !self.item && !matches!(self.field.ty, Type::Attributes) => {
                None
            }
            Type::Attributes => return self.visit_attributes(map),
            Type::Entity(shape) => Some(shape),
            Type::OneOf(shapes) => return self.visit_one_of(map, shapes),
            _ => None,
        };
        let Some(shape) = shape else {
            enter::<A::Error>(self.depth, self.count)?;
            Skipped {
                depth: self.depth,
                count: self.count,
            }
            .visit_map(map)?;
            self.misfit("an object");
            return Ok(());
        };
        let node = self.builder.object(self.parent, self.index, shape);
        Members {
            builder: self.builder,
            body: self.body,
            node,
            shape,
            depth: self.depth,
            count: self.count,
        }
        .visit_map(map)
    }
}

impl<'de> Content<'de, '_> {
    /// An object name → value; numbers and booleans are taken for values.
    fn visit_attributes<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        enter::<A::Error>(self.depth, self.count)?;
        while let Some(name) = map.next_key::<Text<'de>>()? {
            enter::<A::Error>(self.depth, self.count)?;
            match map.next_value::<Scalar<'de>>()? {
                Scalar::Text(value) => {
                    let value = (!value.is_empty()).then_some(value);
                    self.builder
                        .attribute(self.parent, self.index, self.body, Some(name.0), value);
                }
                Scalar::Null => {
                    self.builder
                        .attribute(self.parent, self.index, self.body, Some(name.0), None);
                }
                Scalar::Other => self.builder.misfit(
                    self.parent,
                    format!("the attribute {} cannot be a list or an object", name.0),
                ),
            }
        }
        Ok(())
    }

    /// An object of a base type: its entityType stands first or its only kind is taken.
    fn visit_one_of<A: MapAccess<'de>>(
        self,
        map: A,
        shapes: &'static [&'static Shape],
    ) -> Result<(), A::Error> {
        let [shape] = shapes else {
            return Err(A::Error::custom(
                "this field takes several kinds; no method has one yet",
            ));
        };
        let node = self.builder.object(self.parent, self.index, shape);
        Members {
            builder: self.builder,
            body: self.body,
            node,
            shape,
            depth: self.depth,
            count: self.count,
        }
        .visit_map(map)
    }
}

/// Text that is borrowed where it stands in the body as it is.
struct Text<'de>(Cow<'de, str>);

impl<'de> serde::Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Scalar::deserialize(deserializer)? {
            Scalar::Text(text) => Ok(Self(text)),
            _ => Err(D::Error::custom("text is expected")),
        }
    }
}

enum Scalar<'de> {
    Text(Cow<'de, str>),
    Null,
    Other,
}

impl<'de> serde::Deserialize<'de> for Scalar<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Scalar<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a value")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Scalar::Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Scalar::Text(Cow::Owned(text.to_owned())))
            }
            fn visit_bool<E>(self, truth: bool) -> Result<Self::Value, E> {
                Ok(Scalar::Text(Cow::Owned(truth.to_string())))
            }
            fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
                Ok(Scalar::Text(Cow::Owned(number.to_string())))
            }
            fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
                Ok(Scalar::Text(Cow::Owned(number.to_string())))
            }
            fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
                Ok(Scalar::Text(Cow::Owned(number.to_string())))
            }
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Scalar::Null)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
                while items.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Scalar::Other)
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Scalar::Other)
            }
        }
        deserializer.deserialize_any(Any)
    }
}
