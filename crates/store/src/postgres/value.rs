//! Values on their way to PostgreSQL and back. Its columns are as narrow as what they hold, ours are all alike: a [`Number`]
//! fits itself to the column. A [`Text`] leaves out what PostgreSQL cannot keep.

use crate::{Error, Result};
use bytes::BytesMut;
use std::borrow::Cow;
use std::error::Error as StdError;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

/// A parameter of a statement.
pub(crate) type Value<'a> = &'a (dyn ToSql + Sync);

/// Any whole number, for a column of any width; one that does not fit is refused.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Number(pub i64);

impl Number {
    fn accepts_kind(kind: &Type) -> bool {
        matches!(*kind, Type::INT2 | Type::INT4 | Type::INT8)
    }
}

impl ToSql for Number {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> std::result::Result<IsNull, Box<dyn StdError + Sync + Send>> {
        match *kind {
            Type::INT2 => i16::try_from(self.0)?.to_sql(kind, out),
            Type::INT4 => i32::try_from(self.0)?.to_sql(kind, out),
            _ => self.0.to_sql(kind, out),
        }
    }

    fn accepts(kind: &Type) -> bool {
        Self::accepts_kind(kind)
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Number {
    fn from_sql(
        kind: &Type,
        raw: &'a [u8],
    ) -> std::result::Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Self(match *kind {
            Type::INT2 => i16::from_sql(kind, raw)?.into(),
            Type::INT4 => i32::from_sql(kind, raw)?.into(),
            _ => i64::from_sql(kind, raw)?,
        }))
    }

    fn accepts(kind: &Type) -> bool {
        Self::accepts_kind(kind)
    }
}

/// A text. PostgreSQL keeps no U+0000, which carriers and clients may send: U+FFFD stands in its place, in what is kept and in
/// what is asked for alike.
#[derive(Debug, Clone)]
pub(crate) struct Text<'a>(Cow<'a, str>);

impl<'a> Text<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        if text.contains('\0') {
            Self(text.replace('\0', "\u{fffd}").into())
        } else {
            Self(text.into())
        }
    }

    /// As it is kept.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// As it is kept.
    pub(crate) fn into_string(self) -> String {
        self.0.into_owned()
    }

    /// A text that may be missing.
    pub(crate) fn maybe(text: &'a Option<String>) -> Option<Self> {
        text.as_deref().map(Self::new)
    }
}

impl ToSql for Text<'_> {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> std::result::Result<IsNull, Box<dyn StdError + Sync + Send>> {
        self.0.as_ref().to_sql(kind, out)
    }

    fn accepts(kind: &Type) -> bool {
        <&str as ToSql>::accepts(kind)
    }

    to_sql_checked!();
}

/// A value of a row that is copied.
#[derive(Debug)]
pub(crate) enum Cell<'a> {
    /// Nothing.
    Null,
    /// A whole number.
    Number(i64),
    /// Yes or no.
    Flag(bool),
    /// A text.
    Text(Text<'a>),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl<'a> Cell<'a> {
    /// A text.
    pub(crate) fn text(text: &'a str) -> Self {
        Self::Text(Text::new(text))
    }

    /// A number that may be missing.
    pub(crate) fn maybe(number: Option<i64>) -> Self {
        number.map_or(Self::Null, Self::Number)
    }
}

impl ToSql for Cell<'_> {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> std::result::Result<IsNull, Box<dyn StdError + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Number(number) => Number(*number).to_sql(kind, out),
            Self::Flag(flag) => flag.to_sql(kind, out),
            Self::Text(text) => text.to_sql(kind, out),
            Self::Bytes(bytes) => bytes.to_sql(kind, out),
        }
    }

    fn accepts(kind: &Type) -> bool {
        Number::accepts_kind(kind) || matches!(*kind, Type::BOOL | Type::TEXT | Type::BYTEA)
    }

    to_sql_checked!();
}

/// One column of many rows, for `UNNEST`.
pub(crate) fn numbers<T>(rows: &[T], number: impl Fn(&T) -> i64) -> Vec<Number> {
    rows.iter().map(|row| Number(number(row))).collect()
}

/// One column of many rows that may be missing.
pub(crate) fn maybe_numbers<T>(
    rows: &[T],
    number: impl Fn(&T) -> Option<i64>,
) -> Vec<Option<Number>> {
    rows.iter().map(|row| number(row).map(Number)).collect()
}

/// A number of a row.
pub(crate) fn number(row: &Row, column: usize) -> Result<i64> {
    Ok(row.try_get::<_, Number>(column)?.0)
}

/// A number of a row that may be missing.
pub(crate) fn maybe_number(row: &Row, column: usize) -> Result<Option<i64>> {
    Ok(row
        .try_get::<_, Option<Number>>(column)?
        .map(|number| number.0))
}

/// A number of a row in the range of its Rust type.
pub(crate) fn small<T: TryFrom<i64>>(row: &Row, column: usize) -> Result<T> {
    let number = number(row, column)?;
    T::try_from(number).map_err(|_| {
        Error::Database(format!(
            "column {} holds {number}, which is out of range",
            row.columns()[column].name()
        ))
    })
}
